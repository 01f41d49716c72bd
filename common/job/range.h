// The values that a numeric field of the job file may have, as the comments of proto/job.proto say.
#ifndef CONVOY_COMMON_JOB_RANGE_H_
#define CONVOY_COMMON_JOB_RANGE_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace convoy {

// An interval; a bound that is open does not belong to it. `high` may be infinity.
struct ValueRange {
  double low = 0;
  bool low_open = false;
  double high = 0;
  bool high_open = false;

  // False for NaN and infinities.
  bool Contains(double value) const;
  // "> 0", ">= 1", "in [0, 1)", or "from 1 to 64" for whole numbers.
  std::string ToString() const;
};

// The range of a field of the job file; null if every (finite) value of its type is allowed.
const ValueRange* FindRange(const google::protobuf::FieldDescriptor& field);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_RANGE_H_
