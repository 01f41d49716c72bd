#include "common/checkpoint/json_object.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy {
namespace {

constexpr int kMaxJsonDepth = 64;

// What a JSON value is, in words.
std::string KindOf(const nlohmann::ordered_json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a text";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number_unsigned()) return "a number";
  if (value.is_number_integer()) return "a negative number";
  if (value.is_number()) return "a fraction or a number that is too large";
  return "null";
}

std::string ElementPlace(std::string_view list, size_t i) {
  return absl::StrCat(std::string(list), "[", i, "]");
}

// The library recurses where it writes and destroys.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

absl::Status ParseJson(std::string_view text, nlohmann::ordered_json* json) {
  if (TooDeep(text)) {
    return absl::DataLossError(
        absl::StrCat("objects and lists are nested more than ", kMaxJsonDepth, " deep"));
  }
  try {
    *json = nlohmann::ordered_json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return absl::DataLossError(
        absl::StrCat("not valid JSON at byte ", std::max<size_t>(error.byte, 1) - 1));
  } catch (const nlohmann::json::exception&) {
    return absl::DataLossError("not valid JSON: a number is out of range");
  }
  return absl::OkStatus();
}

JsonObject::JsonObject(const Json& json, std::string place, absl::Status* status)
    : json_(&json), place_(std::move(place)), status_(status) {
  if (json.is_object()) return;
  FailAt(place_, absl::StrCat("got ", KindOf(json), ", want an object"));
  json_ = nullptr;
}

std::string JsonObject::PlaceOf(std::string_view name) const {
  return place_.empty() ? std::string(name) : absl::StrCat(place_, ".", std::string(name));
}

void JsonObject::FailAt(std::string_view place, std::string_view message) const {
  if (!status_->ok()) return;
  *status_ = absl::DataLossError(absl::StrCat(place.empty() ? "the document" : std::string(place),
                                              ": ", std::string(message)));
}

void JsonObject::Fail(std::string_view name, std::string_view message) const {
  FailAt(PlaceOf(name), message);
}

bool JsonObject::Has(std::string_view name) const {
  return json_ != nullptr && json_->contains(std::string(name));
}

std::vector<std::string> JsonObject::Names() const {
  std::vector<std::string> names;
  if (json_ == nullptr) return names;
  for (const auto& member : json_->items()) names.push_back(member.key());
  return names;
}

const JsonObject::Json* JsonObject::Find(std::string_view name) const {
  if (json_ == nullptr || !status_->ok()) return nullptr;
  const auto found = json_->find(std::string(name));
  if (found == json_->end()) {
    Fail(name, "is missing");
    return nullptr;
  }
  return &*found;
}

const JsonObject::Json* JsonObject::List(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr || value->is_array()) return value;
  Fail(name, absl::StrCat("got ", KindOf(*value), ", want a list"));
  return nullptr;
}

uint64_t JsonObject::NumberIn(const Json& value, std::string_view place) const {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  FailAt(place, absl::StrCat("got ", KindOf(value), ", want a number from 0 to 2^64 - 1"));
  return 0;
}

std::string JsonObject::TextIn(const Json& value, std::string_view place) const {
  if (value.is_string()) return value.get<std::string>();
  FailAt(place, absl::StrCat("got ", KindOf(value), ", want a text"));
  return "";
}

std::string JsonObject::Text(std::string_view name) const {
  const Json* value = Find(name);
  return value == nullptr ? "" : TextIn(*value, PlaceOf(name));
}

std::string JsonObject::TextOrEmpty(std::string_view name) const {
  return Has(name) ? Text(name) : "";
}

std::string JsonObject::Name(std::string_view name) const {
  std::string text = Text(name);
  if (text.empty()) Fail(name, "is empty, want a text");
  return text;
}

uint64_t JsonObject::Number(std::string_view name) const {
  const Json* value = Find(name);
  return value == nullptr ? 0 : NumberIn(*value, PlaceOf(name));
}

uint32_t JsonObject::Count(std::string_view name) const {
  const uint64_t number = Number(name);
  if (number >= 1 && number <= std::numeric_limits<uint32_t>::max()) {
    return static_cast<uint32_t>(number);
  }
  Fail(name, absl::StrCat("got ", number, ", want a number from 1 to 2^32 - 1"));
  return 0;
}

uint64_t JsonObject::Hex(std::string_view name) const {
  const std::string text = Text(name);
  uint64_t value = 0;
  if (!ParseHex64(text, &value)) {
    Fail(name, absl::StrCat("got \"", text, "\", want 16 hexadecimal digits"));
  }
  return value;
}

std::vector<uint64_t> JsonObject::Numbers(std::string_view name) const {
  std::vector<uint64_t> numbers;
  const Json* list = List(name);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    numbers.push_back(NumberIn((*list)[i], ElementPlace(PlaceOf(name), i)));
  }
  return numbers;
}

std::vector<std::string> JsonObject::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  const Json* list = List(name);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    texts.push_back(TextIn((*list)[i], ElementPlace(PlaceOf(name), i)));
  }
  return texts;
}

std::vector<std::pair<uint64_t, uint64_t>> JsonObject::Pairs(std::string_view name) const {
  std::vector<std::pair<uint64_t, uint64_t>> pairs;
  const Json* list = List(name);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const Json& pair = (*list)[i];
    const std::string place = ElementPlace(PlaceOf(name), i);
    if (!pair.is_array() || pair.size() != 2) {
      FailAt(place, absl::StrCat("got ", KindOf(pair), ", want a list of two numbers"));
      break;
    }
    pairs.emplace_back(NumberIn(pair[0], place), NumberIn(pair[1], place));
  }
  return pairs;
}

JsonObject JsonObject::Object(std::string_view name) const {
  static const Json kEmpty = Json::object();
  const Json* value = Find(name);
  return JsonObject(value == nullptr ? kEmpty : *value, PlaceOf(name), status_);
}

std::vector<JsonObject> JsonObject::Objects(std::string_view name) const {
  std::vector<JsonObject> objects;
  const Json* list = List(name);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    objects.emplace_back((*list)[i], ElementPlace(PlaceOf(name), i), status_);
  }
  return objects;
}

std::string Hex64(uint64_t value) { return absl::StrFormat("%016x", value); }

bool ParseHex64(std::string_view text, uint64_t* value) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 16 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  *value = 0;
  for (const char c : text) {
    *value = *value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return true;
}

}  // namespace convoy
