#include "ps/table/row_places.h"

#include <utility>

namespace convoy {

RowPlaces::RowPlaces(uint32_t table_number, uint32_t floats, RowIds wanted)
    : table(table_number),
      columns(floats),
      ids(std::move(wanted)),
      values(new float[ids.size() * columns]) {}

}  // namespace convoy
