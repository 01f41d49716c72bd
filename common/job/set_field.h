// --set path.to.field=value: changes one field of a job from the command line.
#ifndef CONVOY_COMMON_JOB_SET_FIELD_H_
#define CONVOY_COMMON_JOB_SET_FIELD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

// What --set does, for people.
inline constexpr std::string_view kSetHelp =
    R"(--set PATH=VALUE changes a field of the job file; later ones win. PATH is the names of the
fields from the outside in, separated by dots: optimizer.learning_rate. Groups that are not in the
job file are created.
  a number, true or false      --set optimizer.learning_rate=0.1
  an enumeration, by name      --set model.mlp.activation=GELU
  a string, quoted or not      --set training.mode=ssp:3
  a group, replaced as a whole --set 'optimizer.momentum={momentum: 0.8}'
Of alternatives (the model's kind, the optimizer's algorithm, the schedule's kind, the validation's
path or fraction) the one that is set, or in which a field is set, replaces the other:
  --set optimizer.adam.beta1=0.8   makes the optimizer adam
Lists:
  replaced as a whole          --set model.mlp.hidden=256,128   (an empty VALUE empties the list)
  appended to                  --set model.mlp.hidden+=64
  (strings with commas in quotes: --set 'optimizer.freeze+="layer[1,2]/.*"')
                               --set 'optimizer.override+={match: "layer1/.*" l2: 0}'
  one element, from 0          --set 'model.mlp.hidden[0]=64'
                               --set 'optimizer.override[0].l2=0'
Parameters of a model of your own, by key:
  --set 'model.custom.parameters[depth]=3'
Relative paths of files are relative to the folder of the job file, as in the job file.
)";

// Applies one argument of --set. Returns the path of what has changed, e.g.
// "optimizer.override[1]". InvalidArgument: the argument is wrong, and the job unchanged; the
// message names the unknown part with a suggestion, or the field and what it expects, not the
// argument.
absl::StatusOr<std::string> SetField(std::string_view argument, v1::Job* job);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_SET_FIELD_H_
