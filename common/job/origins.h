// Where the values of a job come from: a line of the job file or an argument of the command line.
#ifndef CONVOY_COMMON_JOB_ORIGINS_H_
#define CONVOY_COMMON_JOB_ORIGINS_H_

#include <map>
#include <string>
#include <string_view>

#include "common/job/lines.h"

namespace convoy {

struct Place {
  int line = 0;       // of the job file, from 1; 0: no particular one
  int argument = -1;  // index of the --set argument; -1: the job file

  bool operator==(const Place&) const = default;
};

class Origins {
 public:
  explicit Origins(const FieldLines& lines);

  // `path` with everything below it was replaced by the argument, which also made the groups above
  // it that were not there yet.
  void SetByArgument(const std::string& path, int argument);

  // The place of the field; if it has none, that of the nearest group around it.
  Place Find(std::string_view path) const;

 private:
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_ORIGINS_H_
