#include "ps/table/row_places.h"

#include <utility>

namespace convoy {

RowPlaces::RowPlaces(uint32_t table_number, uint32_t columns, RowIds wanted)
    : table(table_number),
      dim(columns),
      ids(std::move(wanted)),
      values(new float[ids.size() * dim]) {}

}  // namespace convoy
