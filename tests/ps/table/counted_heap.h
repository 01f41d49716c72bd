// What this program holds on the heap, by replaced operators new and delete.
#ifndef CONVOY_TESTS_PS_TABLE_COUNTED_HEAP_H_
#define CONVOY_TESTS_PS_TABLE_COUNTED_HEAP_H_

#include <cstddef>

namespace convoy {

// Bytes asked for and not given back, of all threads.
size_t HeapBytes();

}  // namespace convoy

#endif  // CONVOY_TESTS_PS_TABLE_COUNTED_HEAP_H_
