// An object of a JSON document that is read strictly: each member is there and of the type that is
// asked for. The first error is kept, with the member's place in the document, what was there and
// what was wanted; what is read after it is empty. So a reader reads all, then looks for errors.
#ifndef CONVOY_COMMON_CHECKPOINT_JSON_OBJECT_H_
#define CONVOY_COMMON_CHECKPOINT_JSON_OBJECT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace convoy {

// DataLoss: `text` is not JSON (names the byte), or is nested deeper than any of our documents.
absl::Status ParseJson(std::string_view text, nlohmann::ordered_json* json);

// A view: the document and `status`, which gets the first error (DataLoss), outlive it.
class JsonObject {
 public:
  // `place`: of the object, e.g. "files[2]"; empty: the document itself.
  JsonObject(const nlohmann::ordered_json& json, std::string place, absl::Status* status);

  bool Has(std::string_view name) const;
  std::vector<std::string> Names() const;

  std::string Text(std::string_view name) const;
  std::string TextOrEmpty(std::string_view name) const;
  // A text that is not empty.
  std::string Name(std::string_view name) const;
  uint64_t Number(std::string_view name) const;
  // In [1, 2^32).
  uint32_t Count(std::string_view name) const;
  // A text of 16 hexadecimal digits, as Hex64 gives it.
  uint64_t Hex(std::string_view name) const;
  std::vector<uint64_t> Numbers(std::string_view name) const;
  std::vector<std::string> Texts(std::string_view name) const;
  // A list of lists of two numbers.
  std::vector<std::pair<uint64_t, uint64_t>> Pairs(std::string_view name) const;
  JsonObject Object(std::string_view name) const;
  std::vector<JsonObject> Objects(std::string_view name) const;

  // The place of a member, for messages.
  std::string PlaceOf(std::string_view name) const;
  // Keeps the error "PLACE: message" unless there is an earlier one.
  void Fail(std::string_view name, std::string_view message) const;

 private:
  using Json = nlohmann::ordered_json;
  // The member, or null after an error.
  const Json* Find(std::string_view name) const;
  const Json* List(std::string_view name) const;
  uint64_t NumberIn(const Json& value, std::string_view place) const;
  std::string TextIn(const Json& value, std::string_view place) const;
  void FailAt(std::string_view place, std::string_view message) const;

  const Json* json_;  // an object; null: read nothing
  std::string place_;
  absl::Status* status_;
};

// 16 hexadecimal digits.
std::string Hex64(uint64_t value);
// Of exactly 16 lower-case digits; false: something else.
bool ParseHex64(std::string_view text, uint64_t* value);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_JSON_OBJECT_H_
