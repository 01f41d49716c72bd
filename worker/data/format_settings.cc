#include "worker/data/format_settings.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy {

absl::Status CheckFormatSettings(const v1::Data& data, v1::Data::Format format) {
  struct Setting {
    const char* name;
    bool is_set;  // to something
    std::initializer_list<v1::Data::Format> formats;
    const char* instead = "";
  };
  const std::initializer_list<Setting> settings = {
      {"train_labels", data.has_train_labels(), {v1::Data::IDX}},
      {"validation.labels", data.validation().has_labels(), {v1::Data::IDX}},
      {"test.labels", data.test().has_labels(), {v1::Data::IDX}},
      {"zero_based", data.zero_based(), {v1::Data::LIBSVM}},
      {"ids", data.ids(), {v1::Data::LIBSVM}},
      {"fields", data.has_fields(), {v1::Data::LIBFFM}},
      {"csv", data.has_csv(), {v1::Data::CSV, v1::Data::TSV}},
      {"max_bad_lines",
       data.max_bad_lines() > 0,
       {v1::Data::LIBSVM, v1::Data::LIBFFM, v1::Data::CRITEO},
       format == v1::Data::IDX ? "" : ": set data.csv.max_bad_lines"}};
  for (const Setting& setting : settings) {
    if (!setting.is_set || std::ranges::count(setting.formats, format) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "data.", setting.name, " is for ",
        absl::StrJoin(setting.formats, " and ",
                      [](std::string* out, v1::Data::Format one) {
                        out->append(v1::Data::Format_Name(one));
                      }),
        " files, but ", data.train(), " is ", v1::Data::Format_Name(format), setting.instead));
  }
  return absl::OkStatus();
}

}  // namespace convoy
