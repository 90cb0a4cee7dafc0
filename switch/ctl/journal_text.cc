#include "switch/ctl/journal_text.h"

#include <optional>
#include <variant>

#include "fmt/format.h"
#include "google/protobuf/wrappers.pb.h"
#include "storage/leg_codec.h"
#include "switch/core/check.h"
#include "switch/core/payment.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"
#include "waystation/journal/v1/journal.pb.h"

namespace waystation::ctl {
namespace {

std::string WithoutNewline(std::string line) {
  line.pop_back();
  return line;
}

std::string Quoted(const std::string& text) {
  google::protobuf::StringValue value;
  // Escapes as proto JSON does; the faults of a report are text of ours, but quote what was stored.
  value.set_value(Printable(text));
  return WithoutNewline(JsonLine(value));
}

// ,"event":"APPROVED","state":"SUCCEEDED" for the leg of a payment.
std::string PaymentWords(const core::Leg& leg) {
  if (const auto* accepted = std::get_if<core::PaymentAccepted>(&leg.fact)) {
    const core::PaymentState state =
        accepted->decline.has_value() ? core::PaymentState::kDeclined : core::PaymentState::kHeld;
    return fmt::format(",\"state\":\"{}\"", core::Name(state));
  }
  if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) {
    const std::string verdict =
        moved->resolution.has_value() ? fmt::format(",\"verdict\":\"{}\"", core::Name(moved->resolution->verdict)) : "";
    return fmt::format(",\"event\":\"{}\",\"state\":\"{}\"{}", core::Name(moved->event), core::Name(moved->state),
                       verdict);
  }
  if (const auto* proposed = std::get_if<core::ResolutionProposed>(&leg.fact)) {
    return fmt::format(",\"verdict\":\"{}\"", core::Name(proposed->resolution.verdict));
  }
  return "";
}

}  // namespace

std::string LegJson(const core::BlockStamp& stamp, const core::Leg& leg) {
  storage::WireWriter form;
  storage::EncodeLeg(leg, &form);
  journal::v1::Leg stored;
  WS_CHECK(stored.ParseFromArray(form.bytes().data(), static_cast<int>(form.bytes().size())),
           "what was read can be written and read again");
  const google::protobuf::Reflection& reflection = *stored.GetReflection();
  const google::protobuf::FieldDescriptor* fact =
      reflection.GetOneofFieldDescriptor(stored, stored.GetDescriptor()->FindOneofByName("fact"));
  return fmt::format("{{\"sequence\":\"{}\",\"timeMs\":\"{}\",\"businessDate\":\"{}\"{},\"{}\":{}}}\n", leg.sequence,
                     stamp.time.time_since_epoch().count(), stamp.business_date.ToString(), PaymentWords(leg),
                     fact->json_name(), WithoutNewline(JsonLine(reflection.GetMessage(stored, fact))));
}

absl::StatusOr<std::string> LegsJson(const journal::v1::Block& block) {
  const auto date = core::BusinessDate::FromNumber(block.header().business_date());
  if (!date.ok()) return absl::DataLossError(std::string(date.status().message()));
  const core::BlockStamp stamp{core::TimePoint(std::chrono::milliseconds(block.header().time_ms())), *date};
  std::string lines;
  for (const journal::v1::Leg& stored : block.legs()) {
    const absl::StatusOr<core::Leg> leg = storage::DecodeLeg(stored);
    if (!leg.ok()) return leg.status();
    lines += LegJson(stamp, *leg);
  }
  return lines;
}

std::string VerifyText(const storage::VerifyReport& report) {
  FieldList fields;
  const auto add = [&](const char* label, uint64_t number) { fields.Add(label, fmt::format("{}", number)); };
  add("blocks", report.blocks);
  add("legs", report.legs);
  add("last sequence", report.last_sequence);
  fields.Add("snapshot", report.snapshot_sequence == 0 ? "none" : fmt::format("as of {}", report.snapshot_sequence));
  add("accounts", report.accounts);
  add("payments at rest", report.payments_at_rest);
  add("payments open", report.payments_open);
  fields.Add("result", report.clean() ? "clean" : fmt::format("DAMAGED; faults: {}", report.fault_count));
  std::string text = fields.ToString();
  for (const std::string& fault : report.faults) text += fmt::format("  {}\n", Printable(fault));
  if (report.fault_count > report.faults.size()) {
    text += fmt::format("  and {} more\n", report.fault_count - report.faults.size());
  }
  return text;
}

std::string VerifyJson(const storage::VerifyReport& report) {
  std::string faults;
  for (const std::string& fault : report.faults) faults += (faults.empty() ? "" : ",") + Quoted(fault);
  return fmt::format(
      "{{\"clean\":{},\"blocks\":\"{}\",\"legs\":\"{}\",\"lastSequence\":\"{}\",\"snapshotSequence\":\"{}\","
      "\"accounts\":\"{}\",\"paymentsAtRest\":\"{}\",\"paymentsOpen\":\"{}\",\"faultCount\":\"{}\",\"faults\":[{}]}}\n",
      report.clean(), report.blocks, report.legs, report.last_sequence, report.snapshot_sequence, report.accounts,
      report.payments_at_rest, report.payments_open, report.fault_count, faults);
}

absl::StatusOr<storage::OpenedBlock> JournalCursor::OpenBlock(std::string_view sealed) {
  if (position_.last_sequence != 0) return storage::OpenNextBlock(sealed, &position_);
  absl::StatusOr<storage::OpenedBlock> block = storage::OpenBlock(sealed);
  if (block.ok()) {
    position_ = {.last_sequence = block->legs.back().sequence, .sha256 = block->sha256, .time = block->stamp.time};
  }
  return block;
}

absl::Status JournalCursor::ReadOn(VisitLeg visit) {
  absl::Status status;
  const absl::Status read = log_.ReadBlocks(next_, [&](uint64_t first_sequence, std::string_view sealed) {
    // Where nothing was added, a read from the next leg starts with the block before it.
    if (first_sequence <= position_.last_sequence) return true;
    const absl::StatusOr<storage::OpenedBlock> block = OpenBlock(sealed);
    if (!block.ok()) {
      status = block.status();
      return false;
    }
    for (const core::Leg& leg : block->legs) {
      if (leg.sequence < next_) continue;
      if (!visit(*block, leg)) return false;
    }
    next_ = position_.last_sequence + 1;
    return true;
  });
  return read.ok() ? status : read;
}

}  // namespace waystation::ctl
