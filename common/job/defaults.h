// The defaults of the job file, spelled out.
#ifndef CONVOY_COMMON_JOB_DEFAULTS_H_
#define CONVOY_COMMON_JOB_DEFAULTS_H_

#include "proto/job.pb.h"

namespace convoy {

// `job` with every default of the schema set as if the user had written it. What depends on the
// data stays unset unless given: data.scale, data.features, model.classes,
// training.report_every_steps and the lengths of schedules; so does data.cache_dir, which depends
// on the environment.
v1::Job ResolveDefaults(v1::Job job);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_DEFAULTS_H_
