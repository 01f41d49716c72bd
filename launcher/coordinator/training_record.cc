#include "launcher/coordinator/training_record.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/metrics/metrics.h"
#include "common/status.h"
#include "launcher/coordinator/json.h"

namespace convoy {
namespace {

constexpr uint64_t kMaxClasses = 11'000;  // a column of labels may have 10,000

// Most counts of a confusion matrix are 0 and are left out.
Json SumsJson(const v1::MetricSums& sums) {
  Json json = {{"examples", sums.examples()}, {"loss", sums.loss()}, {"classes", sums.classes()}};
  json["confusion"] = Json::array();
  for (int i = 0; i < sums.confusion_size(); ++i) {
    if (sums.confusion(i) > 0) json["confusion"].push_back({i, sums.confusion(i)});
  }
  json["squared_error"] = sums.squared_error();
  json["own"] = Json::array();
  for (const v1::NamedSum& own : sums.own()) json["own"].push_back({own.name(), own.sum()});
  return json;
}

// The library writes what is not finite as null.
double NumberFrom(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

v1::MetricSums SumsFrom(const Json& json) {
  v1::MetricSums sums;
  sums.set_examples(json.at("examples").get<uint64_t>());
  sums.set_loss(NumberFrom(json.at("loss")));
  const uint64_t classes = json.at("classes").get<uint32_t>();
  if (classes > kMaxClasses) throw std::invalid_argument("too many classes");
  sums.set_classes(static_cast<uint32_t>(classes));
  if (sums.examples() > 0) {
    sums.mutable_confusion()->Resize(static_cast<int>(classes * classes), 0);
  }
  for (const Json& count : json.at("confusion")) {
    const auto index = count.at(0).get<uint64_t>();
    if (index >= static_cast<uint64_t>(sums.confusion_size())) throw std::out_of_range("confusion");
    sums.set_confusion(static_cast<int>(index), count.at(1).get<uint64_t>());
  }
  sums.set_squared_error(NumberFrom(json.at("squared_error")));
  for (const Json& own : json.at("own")) {
    v1::NamedSum& sum = *sums.add_own();
    sum.set_name(own.at(0).get<std::string>());
    sum.set_sum(NumberFrom(own.at(1)));
  }
  const absl::Status valid = ValidateSums(sums);
  if (!valid.ok()) throw std::invalid_argument(std::string(valid.message()));
  return sums;
}

Json EpochJson(const EpochSums::State& state) {
  Json json = {{"number", state.epoch},
               {"complete_until", state.folded_until},
               {"sums", SumsJson(state.folded)},
               {"later", Json::array()}};
  for (const auto& [begin, piece] : state.later) {
    json["later"].push_back({{"begin", begin}, {"end", piece.end}, {"sums", SumsJson(piece.sums)}});
  }
  return json;
}

EpochSums EpochFrom(const Json& json) {
  EpochSums::State state;
  state.any = true;
  state.epoch = json.at("number").get<uint64_t>();
  state.folded_until = json.at("complete_until").get<uint64_t>();
  state.folded = SumsFrom(json.at("sums"));
  for (const Json& piece : json.at("later")) {
    state.later[piece.at("begin").get<uint64_t>()] = {piece.at("end").get<uint64_t>(),
                                                      SumsFrom(piece.at("sums"))};
  }
  return EpochSums(std::move(state));
}

Json PartialJson(const v1::ReportRequest& report) {
  return {{"slice", report.part()},
          {"begin", report.step_begin()},
          {"end", report.step_end()},
          {"sums", SumsJson(report.sums())},
          {"skipped", report.skipped()},
          {"dropped", report.dropped()},
          {"staleness",
           {report.staleness_count(), report.staleness_sum(), report.staleness_min(),
            report.staleness_max()}}};
}

v1::ReportRequest PartialFrom(const Json& json) {
  v1::ReportRequest report;
  report.set_kind(v1::ReportRequest::PARTIAL);
  report.set_part(json.at("slice").get<uint64_t>());
  report.set_step_begin(json.at("begin").get<uint64_t>());
  report.set_step_end(json.at("end").get<uint64_t>());
  *report.mutable_sums() = SumsFrom(json.at("sums"));
  report.set_skipped(json.at("skipped").get<uint64_t>());
  report.set_dropped(json.at("dropped").get<uint64_t>());
  report.set_staleness_count(json.at("staleness").at(0).get<uint64_t>());
  report.set_staleness_sum(json.at("staleness").at(1).get<uint64_t>());
  report.set_staleness_min(json.at("staleness").at(2).get<uint64_t>());
  report.set_staleness_max(json.at("staleness").at(3).get<uint64_t>());
  return report;
}

Json TrackJson(const TrainingRecord& record) {
  const ValidationTrack::State& track = record.track;
  Json json = {{"metric", record.metric},
               {"last", track.last_key},
               {"best_at", track.best_key},
               {"since_best", track.since_best}};
  if (track.best) json["best"] = *track.best;
  return json;
}

ValidationTrack::State TrackFrom(const Json& json) {
  ValidationTrack::State track;
  if (json.contains("best")) track.best = NumberFrom(json.at("best"));
  track.best_key = json.at("best_at").get<uint64_t>();
  track.since_best = json.at("since_best").get<uint64_t>();
  track.last_key = json.at("last").get<uint64_t>();
  return track;
}

std::vector<std::pair<const char*, std::string*>> OtherValidations(MeasuredValidations* measured) {
  return {{"old", &measured->newest_old},
          {"before", &measured->first},
          {"before_old", &measured->first_old}};
}

TrainingRecord RecordFrom(const Json& json) {
  TrainingRecord record;
  record.skipped = json.at("skipped").get<uint64_t>();
  if (json.contains("epoch")) record.epoch = EpochFrom(json.at("epoch"));
  for (const Json& partial : json.at("partial")) record.partial.push_back(PartialFrom(partial));
  if (json.contains("validation")) {
    const Json& validation = json.at("validation");
    record.validation_key = validation.at("at").get<uint64_t>();
    record.measured.newest = validation.at("measured").dump();
    for (const auto& [name, text] : OtherValidations(&record.measured)) {
      if (validation.contains(name)) *text = validation.at(name).dump();
    }
  }
  if (json.contains("track")) {
    record.metric = json.at("track").at("metric").get<std::string>();
    record.track = TrackFrom(json.at("track"));
  }
  return record;
}

}  // namespace

std::string ToJson(const TrainingRecord& record) {
  Json json = {{"skipped", record.skipped}};
  if (record.epoch.state().any) json["epoch"] = EpochJson(record.epoch.state());
  json["partial"] = Json::array();
  for (const v1::ReportRequest& partial : record.partial) {
    json["partial"].push_back(PartialJson(partial));
  }
  if (!record.measured.newest.empty()) {
    json["validation"] = {{"at", record.validation_key},
                          {"measured", Json::parse(record.measured.newest, nullptr, false)}};
    MeasuredValidations measured = record.measured;
    for (const auto& [name, text] : OtherValidations(&measured)) {
      if (!text->empty()) json["validation"][name] = Json::parse(*text, nullptr, false);
    }
  }
  if (!record.metric.empty()) json["track"] = TrackJson(record);
  return ToText(json);
}

// The library tells of members that are missing or of another type by exceptions: they end here.
absl::StatusOr<TrainingRecord> ParseTrainingRecord(std::string_view text) {
  const Json json = Json::parse(text, /*callback=*/nullptr, /*allow_exceptions=*/false);
  try {
    return RecordFrom(json);
  } catch (const std::exception& error) {
    return absl::DataLossError(absl::StrCat("progress: ", error.what()));
  }
}

}  // namespace convoy
