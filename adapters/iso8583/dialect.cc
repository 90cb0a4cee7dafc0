#include "adapters/iso8583/dialect.h"

#include <charconv>
#include <utility>

#include "adapters/json_object.h"
#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::adapters::iso8583 {
namespace {

namespace json = boost::json;

constexpr size_t kProcessingCodeDigits = 6;
// Of a payment's id: what our reference is.
constexpr size_t kReferenceDigits = 16;

std::string_view Trimmed(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// "48.01" or "37".
absl::StatusOr<Place> ParsePlace(const std::string& name, const std::string& text,
                                 const std::map<int, PrivateLayout>& layouts, const Specification& specification) {
  Place place;
  const size_t dot = text.find('.');
  const char* end = text.data() + (dot == std::string::npos ? text.size() : dot);
  const auto [parsed_to, error] = std::from_chars(text.data(), end, place.field);
  const bool number = error == std::errc() && parsed_to == end && place.field >= 2 && place.field <= kLastField;
  if (!number || specification.field(place.field) == nullptr) {
    return absl::InvalidArgumentError(fmt::format(
        "places.{}: \"{}\" is no element of this host; expected one of fields, or ELEMENT.TAG", name, text));
  }
  if (dot == std::string::npos) return place;
  place.tag = text.substr(dot + 1);
  const auto layout = layouts.find(place.field);
  bool known = layout != layouts.end();
  if (known && layout->second.tag_characters > 0) known = place.tag.size() == layout->second.tag_characters;
  if (known && layout->second.tag_characters == 0) {
    known = false;
    for (const PrivateLayout::Slice& slice : layout->second.slices) known = known || slice.tag == place.tag;
  }
  if (known) return place;
  return absl::InvalidArgumentError(
      fmt::format("places.{}: \"{}\" is no part of element {}; see its \"private\"", name, text, place.field));
}

absl::StatusOr<PrivateLayout> ParseLayout(const json::object& object) {
  PrivateLayout layout;
  JsonObjectReader reader(object, "private.");
  uint64_t tags = 0;
  uint64_t lengths = 0;
  reader.Number("tags", 1, 8, &tags);
  reader.Number("lengths", 1, 4, &lengths);
  const json::array* slices = reader.List("slices");
  if ((tags == 0) != (lengths == 0) || (tags == 0) == (slices == nullptr)) {
    reader.Fault("tags", "expected either tags and lengths, or slices");
  }
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  layout.tag_characters = tags;
  layout.length_digits = lengths;
  if (slices == nullptr) return layout;
  for (const json::value& value : *slices) {
    if (!value.is_object()) return absl::InvalidArgumentError("private.slices: has something that is not an object");
    PrivateLayout::Slice slice;
    uint64_t length = 0;
    JsonObjectReader slice_reader(value.get_object(), "private.slices.");
    slice_reader.Text("tag", &slice.tag);
    slice_reader.Number("length", 1, 999, &length);
    if (absl::Status status = slice_reader.Finish({"tag", "length"}); !status.ok()) return status;
    slice.length = length;
    layout.slices.push_back(std::move(slice));
  }
  return layout;
}

// Empty where there is none, also where what stands there does not follow the layout.
std::string_view FindPart(const PrivateLayout& layout, std::string_view value, std::string_view tag) {
  if (layout.tag_characters == 0) {
    size_t from = 0;
    for (const PrivateLayout::Slice& slice : layout.slices) {
      if (from >= value.size()) return {};
      if (slice.tag == tag) return Trimmed(value.substr(from, slice.length));
      from += slice.length;
    }
    return {};
  }
  const size_t header = layout.tag_characters + layout.length_digits;
  while (value.size() >= header) {
    const std::string_view digits = value.substr(layout.tag_characters, layout.length_digits);
    size_t length = 0;
    const auto [parsed_to, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || parsed_to != digits.data() + digits.size() || length > value.size() - header) return {};
    if (value.substr(0, layout.tag_characters) == tag) return value.substr(header, length);
    value.remove_prefix(header + length);
  }
  return {};
}

// The longest that the part can be.
size_t Room(const PrivateLayout& layout, std::string_view tag) {
  size_t room = layout.tag_characters > 0 ? 1 : 0;
  for (size_t i = 0; i < layout.length_digits; ++i) room *= 10;
  if (layout.tag_characters > 0) return room - 1;
  for (const PrivateLayout::Slice& slice : layout.slices) {
    if (slice.tag == tag) return slice.length;
  }
  return 0;
}

// What the element must have room for, so that the part can have `part` characters.
size_t LengthWith(const PrivateLayout& layout, std::string_view tag, size_t part) {
  if (layout.tag_characters > 0) return layout.tag_characters + layout.length_digits + part;
  size_t length = 0;
  for (const PrivateLayout::Slice& slice : layout.slices) {
    length += slice.length;
    if (slice.tag == tag) break;
  }
  return length;
}

// The value of the element with one part more, which there is room for.
std::string WithPart(const PrivateLayout& layout, std::string_view value, std::string_view tag, std::string_view part) {
  std::string with(value);
  if (layout.tag_characters > 0) {
    return with + fmt::format("{}{:0{}}{}", tag, part.size(), layout.length_digits, part);
  }
  size_t from = 0;
  for (const PrivateLayout::Slice& slice : layout.slices) {
    if (with.size() < from + slice.length) with.resize(from + slice.length, ' ');
    if (slice.tag == tag) {
      std::string filled(part);
      filled.resize(slice.length, ' ');
      with.replace(from, slice.length, filled);
    }
    from += slice.length;
  }
  return with;
}

}  // namespace

absl::StatusOr<Dialect> Dialect::Parse(const json::object& object, const Specification& specification) {
  Dialect dialect;
  JsonObjectReader reader(object, "");
  const json::array* fields = reader.List("fields");
  const json::object* places = reader.Object("places");
  const json::object* codes = reader.Object("processing_codes");
  const json::object* answers = reader.Object("answers");
  reader.Text("currency", &dialect.currency);
  for (const auto& [key, value] : object) reader.Ignore(std::string_view(key));
  absl::Status status = reader.Finish({"fields", "places", "processing_codes", "currency", "answers"});
  if (status.ok()) status = dialect.ParsePrivate(*fields);
  if (status.ok()) status = dialect.ParsePlaces(*places, specification);
  if (status.ok()) status = dialect.ParseProcessingCodes(*codes);
  if (status.ok()) status = dialect.ParseAnswers(*answers);
  if (!status.ok()) return status;
  return dialect;
}

absl::Status Dialect::ParseProcessingCodes(const json::object& codes) {
  JsonObjectReader reader(codes, "processing_codes.");
  std::map<std::string, std::string_view> taken;
  const auto code = [&](std::string_view name, Operation operation) {
    std::string& text = processing_codes_[static_cast<size_t>(operation)];
    reader.Text(name, &text);
    if (text.empty()) return;
    if (text.size() != kProcessingCodeDigits || text.find_first_not_of("0123456789") != std::string::npos) {
      reader.Fault(name, fmt::format("\"{}\"; expected {} digits", text, kProcessingCodeDigits));
    }
    if (const auto [other, is_new] = taken.try_emplace(text, name); !is_new) {
      reader.Fault(
          name, fmt::format("{} is that of {} too; they are all 0200, expected one of its own", text, other->second));
    }
  };
  code("inquiry", Operation::kInquiry);
  code("payment", Operation::kPayment);
  code("query", Operation::kQuery);
  code("cancel", Operation::kCancel);
  if (absl::Status status = reader.Finish({"payment"}); !status.ok()) return status;
  processing_codes_[static_cast<size_t>(Operation::kReversal)] = processing_code(Operation::kPayment);
  return absl::OkStatus();
}

absl::Status Dialect::ParsePlaces(const json::object& object, const Specification& specification) {
  std::map<std::string, std::string> texts;
  JsonObjectReader reader(object, "places.");
  const std::pair<std::string_view, Place*> places[] = {{"customer_number", &customer_number},
                                                        {"our_reference", &our_reference},
                                                        {"customer_name", &customer_name},
                                                        {"owed", &owed},
                                                        {"voucher", &voucher},
                                                        {"biller_reference", &biller_reference},
                                                        {"original_code", &original_code}};
  for (const auto& [name, place] : places) {
    std::string text;
    reader.Text(name, &text);
    if (text.empty()) continue;
    absl::StatusOr<Place> parsed = ParsePlace(std::string(name), text, private_, specification);
    if (!parsed.ok()) return parsed.status();
    *place = *std::move(parsed);
  }
  if (absl::Status status = reader.Finish({"customer_number", "our_reference", "biller_reference"}); !status.ok()) {
    return status;
  }
  return CheckOurReference(specification);
}

absl::Status Dialect::CheckOurReference(const Specification& specification) const {
  const FieldSpecification& field = *specification.field(our_reference.field);
  const auto fault = [&](std::string_view what) {
    return absl::InvalidArgumentError(
        fmt::format("places.our_reference: element {} {}; expected room for {} digits that come back as they were sent",
                    our_reference.field, what, kReferenceDigits));
  };
  const bool digits = field.type == FieldType::kDigits && our_reference.tag.empty();
  const bool text =
      field.type == FieldType::kAlphanumeric || field.type == FieldType::kPrintable || field.type == FieldType::kText;
  if (!digits && !text) return fault("is of a type that does not go with it");
  if (digits && field.length_digits == 0) return fault("is filled up with zeros");
  size_t needed = kReferenceDigits;
  if (!our_reference.tag.empty()) {
    const PrivateLayout& layout = private_.at(our_reference.field);
    if (Room(layout, our_reference.tag) < kReferenceDigits) {
      return fault(fmt::format("has a part \"{}\" of at most {} characters", our_reference.tag,
                               Room(layout, our_reference.tag)));
    }
    needed = LengthWith(layout, our_reference.tag, kReferenceDigits);
  }
  if (field.length < needed) return fault(fmt::format("has {} characters, and {} are needed", field.length, needed));
  return absl::OkStatus();
}

absl::Status Dialect::ParsePrivate(const json::array& fields) {
  for (const json::value& field : fields) {
    const json::value* layout = field.get_object().if_contains("private");
    if (layout == nullptr) continue;
    const int number = static_cast<int>(field.get_object().at("number").get_int64());
    if (!layout->is_object()) {
      return absl::InvalidArgumentError(fmt::format("fields: {}: private: not an object", number));
    }
    absl::StatusOr<PrivateLayout> parsed = ParseLayout(layout->get_object());
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(fmt::format("fields: {}: {}", number, std::string(parsed.status().message())));
    }
    private_[number] = *std::move(parsed);
  }
  return absl::OkStatus();
}

absl::Status Dialect::ParseAnswers(const json::object& answers) {
  constexpr std::array<std::string_view, kOperations> kNames = {"inquiry", "payment", "query", "reversal", "cancel"};
  JsonObjectReader reader(answers, "answers.");
  for (size_t operation = 0; operation < kOperations; ++operation) {
    const json::object* table = reader.Object(kNames[operation]);
    if (table == nullptr) continue;
    for (const auto& [code, entry] : *table) {
      const std::string where = fmt::format("answers.{}.{}.", kNames[operation], std::string(code));
      if (!entry.is_object()) return absl::InvalidArgumentError(where + ": not an object");
      JsonObjectReader entry_reader(entry.get_object(), where);
      size_t verdict = static_cast<size_t>(Verdict::kUnknown);
      Meaning meaning;
      entry_reader.Choice("means", {"done", "declined", "never received", "original", "unknown"}, &verdict);
      entry_reader.Text("text", &meaning.text);
      meaning.verdict = static_cast<Verdict>(verdict);
      const bool of_query = static_cast<Operation>(operation) == Operation::kQuery;
      // It would free the money of a payment on a code that may be about the query.
      if (of_query && meaning.verdict == Verdict::kDeclined) {
        entry_reader.Fault("means",
                           "declined: was the query, or the payment? expected original, whose code stands in "
                           "places.original_code, or unknown");
      }
      if (!of_query && meaning.verdict == Verdict::kOriginal) {
        entry_reader.Fault("means", "original: only a query finds the payment so");
      }
      if (meaning.verdict == Verdict::kOriginal && original_code.field == 0) {
        entry_reader.Fault("means", "original: places.original_code is missing");
      }
      if (absl::Status status = entry_reader.Finish({"means"}); !status.ok()) return status;
      answers_[operation][std::string(code)] = std::move(meaning);
    }
  }
  return reader.Finish({"payment"});
}

Meaning Dialect::MeaningOf(Operation operation, std::string_view code) const {
  const auto& table = answers_[static_cast<size_t>(operation)];
  const auto found = table.find(code);
  return found == table.end() ? Meaning() : found->second;
}

std::string_view Dialect::Read(const Message& message, const Place& place) const {
  if (place.field == 0) return {};
  const std::string_view value = message.Get(place.field);
  return place.tag.empty() ? Trimmed(value) : FindPart(private_.at(place.field), value, place.tag);
}

absl::Status Dialect::Write(const Place& place, std::string_view value, Message* message) const {
  if (place.field == 0) return absl::OkStatus();
  if (place.tag.empty()) {
    message->Set(place.field, value);
    return absl::OkStatus();
  }
  const PrivateLayout& layout = private_.at(place.field);
  if (const size_t room = Room(layout, place.tag); value.size() > room) {
    return absl::InvalidArgumentError(fmt::format("field {}: part \"{}\": {} characters; expected at most {}",
                                                  place.field, place.tag, value.size(), room));
  }
  message->Set(place.field, WithPart(layout, message->Get(place.field), place.tag, value));
  return absl::OkStatus();
}

}  // namespace waystation::adapters::iso8583
