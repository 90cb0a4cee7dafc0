#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/iso8583/message.h"
#include "adapters/iso8583/specification.h"
#include "boost/json/object.hpp"

namespace waystation::adapters::iso8583 {

// What is asked of a host about a customer or a payment.
enum class Operation { kInquiry, kPayment, kQuery, kReversal, kCancel };
inline constexpr size_t kOperations = 5;

// What a response code (element 39) says in answer to one of them.
enum class Verdict {
  kDone,  // found, approved, taken back
  kDeclined,
  kNeverReceived,  // the host knows no such payment
  kOriginal,       // found the payment: how that one was answered stands in the place original_code
  kUnknown,
};
struct Meaning {
  Verdict verdict = Verdict::kUnknown;
  std::string text;  // of a decline
};

// Where a value stands: an element, or a part of a private one.
struct Place {
  int field = 0;    // 0: nowhere
  std::string tag;  // empty: the whole element
};

// What a private element is made of: either parts with a tag and a length in front of each, or parts of fixed lengths,
// filled up with blanks, each with a name that serves as its tag.
struct PrivateLayout {
  struct Slice {
    std::string tag;
    size_t length = 0;
  };
  size_t tag_characters = 0;  // 0: slices
  size_t length_digits = 0;
  std::vector<Slice> slices;
};

// What a host means by its messages: where what we need stands, its processing codes, its response codes. From the same
// data file as the Specification (README.md). Threads: any, it does not change.
class Dialect {
 public:
  // `object` is the whole file; reads "fields" (for "private"), "places", "processing_codes", "currency" and "answers".
  static absl::StatusOr<Dialect> Parse(const boost::json::object& object, const Specification& specification);

  // Those that a host does not have are nowhere. our_reference is the payment's id.
  Place customer_number, our_reference, customer_name, owed, voucher, biller_reference, original_code;
  std::string currency;

  // Six digits; of kReversal: the payment's.
  std::string_view processing_code(Operation operation) const {
    return processing_codes_[static_cast<size_t>(operation)];
  }
  // Whether there is a table of response codes for it.
  bool HasAnswers(Operation operation) const { return !answers_[static_cast<size_t>(operation)].empty(); }
  // kUnknown where the table lacks the code.
  Meaning MeaningOf(Operation operation, std::string_view code) const;

  // Empty where there is nothing; without what filled it up. Valid until the next Set.
  std::string_view Read(const Message& message, const Place& place) const;
  // Nothing where the place is nowhere. InvalidArgument: the part is too short for it, which is left as it was; whether
  // the element is, Pack says.
  absl::Status Write(const Place& place, std::string_view value, Message* message) const;

 private:
  absl::Status ParsePlaces(const boost::json::object& object, const Specification& specification);
  // Whether our reference comes back as it was sent, however many digits it has.
  absl::Status CheckOurReference(const Specification& specification) const;
  absl::Status ParseProcessingCodes(const boost::json::object& codes);
  absl::Status ParsePrivate(const boost::json::array& fields);
  absl::Status ParseAnswers(const boost::json::object& answers);

  std::array<std::string, kOperations> processing_codes_;
  std::array<std::map<std::string, Meaning, std::less<>>, kOperations> answers_;
  std::map<int, PrivateLayout> private_;
};

}  // namespace waystation::adapters::iso8583
