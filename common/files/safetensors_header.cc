#include "common/files/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr std::string_view kMetadataName = "__metadata__";

// Checks the structure while the text is read: memory is bounded by the text's size, and nesting
// can't go deeper than the format does.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  const absl::Status& status() const { return status_; }
  SafetensorsHeader TakeHeader() { return std::move(header_); }

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a boolean"); }
  bool number_integer(int64_t) override { return Unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { return Unexpected("a fraction"); }
  bool binary(binary_t&) override { return Unexpected("binary data"); }

  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) return Unexpected("a number");
    (place_ == Place::kShape ? tensor_.shape : offsets_).push_back(value);
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = text;
    } else if (place_ == Place::kTensor && key_ == "dtype") {
      tensor_.dtype = text;
    } else {
      return Unexpected("a text");
    }
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      BeginEntry();
    } else {
      return Unexpected("an object");
    }
    return true;
  }

  bool key(std::string& name) override {
    key_ = name;
    if (!(place_ == Place::kTop ? names_ : fields_).insert(name).second) {
      return Fail(absl::StrCat("\"", name, "\" is given twice"));
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTop) {
      place_ = Place::kOutside;
      return true;
    }
    return std::exchange(place_, Place::kTop) == Place::kTensor ? EndTensor() : true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::kTensor || (key_ != "shape" && key_ != "data_offsets")) {
      return Unexpected("a list");
    }
    place_ = key_ == "shape" ? Place::kShape : Place::kOffsets;
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    return Fail(absl::StrCat("it is not valid JSON at byte ",
                             kSafetensorsPrefixBytes + std::max<size_t>(position, 1) - 1,
                             " of the file"));
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kTensor, kShape, kOffsets };

  void BeginEntry() {
    place_ = key_ == kMetadataName ? Place::kMetadata : Place::kTensor;
    tensor_ = TensorInfo();
    tensor_.name = key_;
    offsets_.clear();
    fields_.clear();
  }

  bool EndTensor() {
    if (fields_ != std::set<std::string>{"dtype", "shape", "data_offsets"} ||
        offsets_.size() != 2) {
      return Fail(absl::StrCat("tensor \"", tensor_.name, "\" has the fields [",
                               absl::StrJoin(fields_, ", "), "] and ", offsets_.size(),
                               " data_offsets, want dtype, shape and two data_offsets"));
    }
    tensor_.begin = offsets_[0];
    tensor_.end = offsets_[1];
    header_.tensors.push_back(std::move(tensor_));
    return true;
  }

  bool Unexpected(std::string_view what) {
    return Fail(absl::StrCat("unexpected ", std::string(what), " after \"", key_, "\""));
  }

  bool Fail(std::string message) {
    status_ = absl::DataLossError(absl::StrCat("bad safetensors header: ", message));
    return false;
  }

  absl::Status status_;
  SafetensorsHeader header_;
  Place place_ = Place::kOutside;
  std::string key_;
  std::set<std::string> names_;   // of tensors
  std::set<std::string> fields_;  // of the entry that is being read
  TensorInfo tensor_;
  std::vector<uint64_t> offsets_;
};

absl::Status CheckText(std::string_view json) {
  if (json.empty() || json[0] != '{') {
    return absl::DataLossError("bad safetensors header: want \"{\" at byte 8 of the file");
  }
  // The JSON library takes a zero byte for the end of the text.
  const size_t zero = json.find('\0');
  if (zero != std::string_view::npos) {
    return absl::DataLossError(absl::StrCat("bad safetensors header: zero at byte ",
                                            kSafetensorsPrefixBytes + zero, " of the file"));
  }
  return absl::OkStatus();
}

absl::Status CheckSize(const TensorInfo& tensor) {
  const std::string subject = absl::StrCat("tensor \"", tensor.name, "\"");
  const auto value_bytes = BytesPerValue(tensor.dtype);
  if (!value_bytes.ok()) return Annotate(value_bytes.status(), subject);
  const auto values = ValuesInShape(tensor.shape);
  if (!values.ok())
    return absl::DataLossError(absl::StrCat(subject, ": ", values.status().message()));
  if (tensor.begin > tensor.end || (tensor.end - tensor.begin) % *value_bytes != 0 ||
      (tensor.end - tensor.begin) / *value_bytes != *values) {
    return absl::DataLossError(absl::StrCat(subject, ": data_offsets [", tensor.begin, ", ",
                                            tensor.end, "] do not hold the ", *values,
                                            " values of ", *value_bytes, " bytes of its shape [",
                                            absl::StrJoin(tensor.shape, ", "), "]"));
  }
  return absl::OkStatus();
}

// `tensors` are ordered by their offsets.
absl::Status CheckCover(const std::vector<TensorInfo>& tensors, uint64_t data_bytes) {
  uint64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.begin != end) {
      return absl::DataLossError(
          absl::StrCat("tensor \"", tensor.name, "\" begins at data byte ", tensor.begin, ", want ",
                       end, ": ", tensor.begin < end ? "tensors overlap" : "there is a hole"));
    }
    end = tensor.end;
  }
  if (end == data_bytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the tensors have ", end, " bytes of data, but ",
                                          data_bytes, " bytes follow the header"));
}

}  // namespace

absl::StatusOr<uint64_t> BytesPerValue(std::string_view dtype) {
  static constexpr std::pair<std::string_view, uint64_t> kBytes[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1},
      {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},     {"I32", 4},
      {"F32", 4},  {"U64", 8}, {"I64", 8}, {"F64", 8},     {"C64", 8}};
  for (const auto& [name, bytes] : kBytes) {
    if (name == dtype) return bytes;
  }
  return absl::InvalidArgumentError(absl::StrCat("dtype \"", std::string(dtype),
                                                 "\" is not known, want F32 or another of the "
                                                 "safetensors format"));
}

absl::StatusOr<uint64_t> ValuesInShape(const std::vector<uint64_t>& shape) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  uint64_t values = 1;
  bool empty = false;
  for (const uint64_t size : shape) {
    empty = empty || size == 0;
    if (size != 0 && values > kMax / size) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape [", absl::StrJoin(shape, ", "), "] has more than 2^63 values"));
    }
    if (size != 0) values *= size;
  }
  return empty ? 0 : values;
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json,
                                                         uint64_t data_bytes) {
  CONVOY_RETURN_IF_ERROR(CheckText(json));
  HeaderHandler handler;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &handler)) return handler.status();
  SafetensorsHeader header = handler.TakeHeader();
  for (const TensorInfo& tensor : header.tensors) CONVOY_RETURN_IF_ERROR(CheckSize(tensor));
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const TensorInfo& a, const TensorInfo& b) {
                     return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
                   });
  CONVOY_RETURN_IF_ERROR(CheckCover(header.tensors, data_bytes));
  return header;
}

std::string EncodeSafetensorsHeader(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json[std::string(kMetadataName)] = header.metadata;
  for (const TensorInfo& tensor : header.tensors) {
    json[tensor.name] = {{"dtype", tensor.dtype},
                         {"shape", tensor.shape},
                         {"data_offsets", {tensor.begin, tensor.end}}};
  }
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string encoded(kSafetensorsPrefixBytes, '\0');
  for (size_t i = 0; i < kSafetensorsPrefixBytes; ++i) {
    encoded[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);
  }
  return encoded + text;
}

}  // namespace convoy
