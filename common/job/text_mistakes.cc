#include "common/job/text_mistakes.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/scalar_text.h"

namespace convoy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::io::Tokenizer;

// The fields that one message has had so far.
struct Seen {
  struct First {
    std::string name;
    int line = 0;
  };
  std::map<const FieldDescriptor*, First> fields;
  std::map<const OneofDescriptor*, First> oneofs;
  std::map<const FieldDescriptor*, int> elements;  // of repeated fields
};

// Recursive descent over the tokens; as deep as the schema, since unknown fields are skipped.
class Walk {
 public:
  explicit Walk(TextTokens text) : tokens_(std::move(text.tokens)), keep_(tokens_.size(), true) {}

  TextMistakes Run(const Descriptor& type, const std::string& path) {
    WalkFields(type, path);
    if (!result_.broken && !At("")) Break(absl::StrCat("unexpected ", Here()));
    if (!result_.broken) result_.rest = TextOf(tokens_, keep_);
    return std::move(result_);
  }

 private:
  const Tokenizer::Token& Now() const { return tokens_[position_]; }
  std::string Here() const {
    return AtEnd() ? "the end" : absl::StrCat("\"", Shown(Now().text), "\"");
  }
  int Line() const { return Now().line + 1; }
  bool AtEnd() const { return Now().type == Tokenizer::TYPE_END; }
  // At the symbol `text`; "" is the end.
  bool At(std::string_view text) const {
    return text.empty() ? AtEnd() : Now().type == Tokenizer::TYPE_SYMBOL && Now().text == text;
  }
  bool AtOpening() const { return At("{") || At("<"); }
  bool AtClosing() const { return At("}") || At(">"); }
  void Advance() {
    if (!AtEnd()) ++position_;
  }
  bool Take(std::string_view symbol) {
    if (!At(symbol)) return false;
    Advance();
    return true;
  }

  void Report(int line, std::string message) {
    result_.mistakes.push_back({line, std::move(message)});
  }
  void Break(std::string message) {
    Report(Line(), std::move(message));
    result_.broken = true;
  }
  // Leaves the tokens from `begin` to here out of the rest of the text.
  void Drop(size_t begin, const std::string& field) {
    for (size_t i = begin; i < position_; ++i) keep_[i] = false;
    result_.fields.push_back(field);
  }

  // Up to the closing brace or the end.
  void WalkFields(const Descriptor& type, const std::string& path) {
    Seen seen;
    while (!result_.broken && !AtEnd() && !AtClosing()) {
      if (Now().type == Tokenizer::TYPE_IDENTIFIER) {
        WalkField(type, path, &seen);
      } else {
        Break(absl::StrCat("expected a field of ", GroupName(path), ", got ", Here()));
      }
    }
  }

  void WalkField(const Descriptor& type, const std::string& group, Seen* seen) {
    const size_t begin = position_;
    const int line = Line();
    const std::string name = Now().text;
    Advance();
    const FieldDescriptor* field = type.FindFieldByName(name);
    std::string path = JoinPath(group, name);
    bool good = false;
    if (field == nullptr) {
      Report(line, UnknownFieldText(type, group, name));
      const std::string meant = SuggestedField(type, name);
      if (!meant.empty()) path = JoinPath(group, meant);
      SkipValue();
    } else if (!Admit(*field, path, line, seen)) {
      SkipValue();
    } else {
      good = WalkValue(*field, path, line, &seen->elements[field]);
    }
    if (!Take(";")) Take(",");
    if (!good) Drop(begin, path);
  }

  // Whether the field may still be given: once, and one member of a oneof.
  bool Admit(const FieldDescriptor& field, const std::string& path, int line, Seen* seen) {
    if (field.is_repeated()) return true;
    const auto [first, is_first] =
        seen->fields.try_emplace(&field, Seen::First{field.name(), line});
    if (!is_first) {
      Report(line, absl::StrCat(path, " is given twice, first in line ", first->second.line));
      return false;
    }
    const OneofDescriptor* oneof = field.containing_oneof();
    if (oneof == nullptr) return true;
    const auto [other, alone] = seen->oneofs.try_emplace(oneof, Seen::First{field.name(), line});
    if (alone) return true;
    Report(line, absl::StrCat(path, " can't be given together with ", other->second.name, " (line ",
                              other->second.line, "): only one ", oneof->name(), " is possible"));
    return false;
  }

  // False if the whole field is wrong. `elements` counts those of a repeated field.
  bool WalkValue(const FieldDescriptor& field, const std::string& path, int line, int* elements) {
    const bool colon = Take(":");
    if (!colon && field.message_type() == nullptr) {
      Report(line, absl::StrCat(path, " needs a \":\" before its value"));
      SkipValue();
      return false;
    }
    if (!field.is_repeated()) return WalkElement(field, path, line);
    if (!Take("[")) return WalkElement(field, ElementPath(path, (*elements)++), line);
    bool good = true;
    while (!result_.broken && !Take("]")) {
      good = WalkElement(field, ElementPath(path, (*elements)++), Line()) && good;
      if (!At("]") && !Take(",")) {
        Break(absl::StrCat("expected \",\" or \"]\" in the list ", path, ", got ", Here()));
      }
    }
    return good;
  }

  bool WalkElement(const FieldDescriptor& field, const std::string& path, int line) {
    if (field.message_type() != nullptr && AtOpening()) return WalkMessage(field, path, line);
    if (field.message_type() == nullptr && !AtOpening() && !At("[")) {
      return WalkScalar(field, path, line);
    }
    Report(line, WrongValueText(field, path,
                                At("[")       ? "a list"
                                : AtOpening() ? "a group"
                                              : Now().text));
    SkipValue();
    return false;
  }

  bool WalkMessage(const FieldDescriptor& field, const std::string& path, int line) {
    const std::string_view closing = At("{") ? "}" : ">";
    Advance();
    WalkFields(*field.message_type(), path);
    if (result_.broken || Take(closing)) return true;
    Break(absl::StrCat("expected \"", std::string(closing), "\" to close ", path, " of line ", line,
                       ", got ", Here()));
    return false;
  }

  bool WalkScalar(const FieldDescriptor& field, const std::string& path, int line) {
    const std::string value = TakeScalar();
    if (IsScalar(field, value)) return true;
    Report(line, WrongValueText(field, path, value));
    return false;
  }

  // A value of one token, a sign and a token, or several strings in a row; empty if there is none.
  std::string TakeScalar() {
    std::string value;
    if (Take("-")) value += '-';
    const bool is_string = Now().type == Tokenizer::TYPE_STRING;
    if (Now().type == Tokenizer::TYPE_SYMBOL || AtEnd()) return value;
    do {
      if (is_string && !value.empty()) value += ' ';
      value += Now().text;
      Advance();
    } while (is_string && Now().type == Tokenizer::TYPE_STRING);
    return value;
  }

  // Whatever follows a field name: a scalar, a list, a group.
  void SkipValue() {
    Take(":");
    if (!AtOpening() && !At("[")) {
      TakeScalar();
      return;
    }
    int depth = 0;
    do {
      if (AtOpening() || At("[")) ++depth;
      if (AtClosing() || At("]")) --depth;
      Advance();
    } while (depth > 0 && !AtEnd());
    if (depth > 0) Break("the end comes before everything is closed: a \"}\" is missing");
  }

  std::vector<Tokenizer::Token> tokens_;
  std::vector<bool> keep_;
  size_t position_ = 0;
  TextMistakes result_;
};

}  // namespace

TextMistakes FindTextMistakes(std::string_view text, const Descriptor& type,
                              std::string_view path) {
  TextTokens tokens = Tokenize(text);
  if (!tokens.errors.empty()) return {std::move(tokens.errors), {}, "", true};
  return Walk(std::move(tokens)).Run(type, std::string(path));
}

}  // namespace convoy
