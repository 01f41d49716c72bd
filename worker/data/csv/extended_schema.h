// A schema that grows: what training data with new categories, columns and classes add to the
// schema of an earlier training, so that its weights keep their meaning (Job.init).
#ifndef CONVOY_WORKER_DATA_CSV_EXTENDED_SCHEMA_H_
#define CONVOY_WORKER_DATA_CSV_EXTENDED_SCHEMA_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/schema.pb.h"

namespace convoy {

// `earlier`, whose columns keep their features and their treatment, with what `learned` has and it
// has not behind them: new categories of its dictionaries, new columns. New classes follow the old
// ones. How files are written is that of `learned`, which was learnt from the file `name`.
// InvalidArgument: a column of `earlier` is not in `learned`, or is another kind of column there; a
// label that was a class is a number, or the other way round.
absl::StatusOr<v1::Schema> ExtendSchema(const v1::Schema& earlier, const v1::Schema& learned,
                                        const std::string& name);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_EXTENDED_SCHEMA_H_
