#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "waystation/adapter/v1/biller_adapter.pb.h"

// A capability card as text: the protobuf text form of waystation.adapter.v1.CapabilityCard, a field a line, `#` starts
// a comment.
namespace waystation::adapters::remote {

// InvalidArgument: "line 3: ..." or what ValidateCard says.
absl::StatusOr<adapter::v1::CapabilityCard> ParseCard(const std::string& text);
std::string CardText(const adapter::v1::CapabilityCard& card);

// InvalidArgument where a rule is not set or not known, or as ValidateCard.
absl::StatusOr<CapabilityCard> FromProto(const adapter::v1::CapabilityCard& card);

// In which fields `described` differs from `configured`: "most_fen is 200000 there and 100000 here"; empty: in none.
// A field that this switch does not know is a difference.
std::string DifferenceOf(const adapter::v1::CapabilityCard& described, const adapter::v1::CapabilityCard& configured);

}  // namespace waystation::adapters::remote
