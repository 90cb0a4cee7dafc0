#include "adapters/sim/gas_host.h"

#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "adapters/gas/china_time.h"
#include "adapters/gas/document.h"
#include "adapters/gas/gbk.h"
#include "adapters/sim/http_front.h"
#include "fmt/format.h"
#include "pugixml.hpp"

namespace waystation::adapters::sim {
namespace {

constexpr std::chrono::minutes kOldestRequest{1};
// Of the interface, not of a payment.
constexpr std::string_view kTooOld = "97";
constexpr std::string_view kNotUnderstood = "98";
constexpr std::string_view kUnknownPartner = "99";

BillerAnswer Only(std::string_view code) {
  BillerAnswer answer;
  answer.code = code;
  return answer;
}

// What a request asks for. Each stands in the books once: the Biller notes what it decides, the host the rest.
struct Call {
  std::string service;
  std::string partner;
  std::string serial;
  std::string time;
  std::string order;
  std::string customer;
  core::Money amount;
};

absl::StatusOr<Call> ParseCall(std::string_view gbk) {
  const absl::StatusOr<std::string> utf8 = gas::Utf8FromGbk(gbk);
  if (!utf8.ok()) return utf8.status();
  if (absl::Status status = gas::CheckBeforeParsing(*utf8); !status.ok()) return status;
  pugi::xml_document document;
  if (!document.load_buffer(utf8->data(), utf8->size(), pugi::parse_default, pugi::encoding_utf8)) {
    return absl::InvalidArgumentError("not a document of XML");
  }
  const pugi::xml_node head = document.child("message").child("head");
  const pugi::xml_node body = document.child("message").child("body");
  Call call{.service = head.child_value("service"),
            .partner = head.child_value("partner"),
            .serial = head.child_value("serial"),
            .time = head.child_value("time"),
            .order = body.child_value("order"),
            .customer = body.child_value("customer"),
            .amount = {}};
  const absl::StatusOr<core::Money> amount = core::ParseYuan(body.child_value("amount"));
  if (amount.ok()) call.amount = *amount;
  return call;
}

// In the words of Faults.
std::string OperationOf(const Call& call) {
  return call.service == "echo" ? "probe" : call.service;
}

class GasHost final : public Host {
 public:
  GasHost(const HostParts& parts, std::string partner)
      : biller_(parts.name, BillerRules::Gas(), parts.books, parts.clock),
        faults_(parts.faults),
        clock_(parts.clock),
        partner_(std::move(partner)),
        front_(parts, nullptr, [this](const HttpRequest& request) { return Answer(request); }) {}

  absl::Status Open() override { return front_.listener().Open(); }
  void Refuse() override { front_.listener().Refuse(); }
  void CutAll() override { front_.listener().CutAll(); }
  std::string address() const override { return front_.listener().address(); }
  std::string Statement(core::BusinessDate date) const override;

 private:
  HttpAnswer Answer(const HttpRequest& request);
  std::string_view Objection(const Call& call) const;
  BillerAnswer Decide(const Call& call, bool refuse);
  static std::string Bytes(const Call& call, const BillerAnswer& said, const Fault& fault);

  Biller biller_;
  Faults* const faults_;
  const core::Clock* const clock_;
  const std::string partner_;
  HttpFront front_;
};

// The code that refuses the request itself; empty where it is in order.
std::string_view GasHost::Objection(const Call& call) const {
  if (call.partner != partner_) return kUnknownPartner;
  const absl::StatusOr<core::TimePoint> sent = gas::ParseChinaTime(call.time);
  if (!sent.ok()) return kNotUnderstood;
  const auto age = clock_->Now() - *sent;
  return age > kOldestRequest || age < -kOldestRequest ? kTooOld : "";
}

BillerAnswer GasHost::Decide(const Call& call, bool refuse) {
  if (call.service == "pay") return biller_.Pay(call.order, call.customer, call.amount, refuse);
  if (!refuse && call.service == "inquire") return biller_.Inquire(call.customer);
  if (!refuse && call.service == "query") return biller_.Query(call.order);
  biller_.NoteUnheard(OperationOf(call), call.order);
  if (refuse) return Only(kRefused);
  return Only(call.service == "echo" ? kDone : kNotUnderstood);
}

std::string StateOf(const Call& call, const BillerAnswer& said) {
  if (call.service == "pay") return "paid";
  if (said.original_code == kDone) return "paid";
  return said.original_code == kTakenBackAlready ? "taken_back" : "refused";
}

std::string GasHost::Bytes(const Call& call, const BillerAnswer& said, const Fault& fault) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "GBK";
  const auto append = [](pugi::xml_node parent, const char* element, const std::string& text) {
    if (!text.empty()) parent.append_child(element).text().set(text.c_str());
  };
  pugi::xml_node root = document.append_child("message");
  pugi::xml_node head = root.append_child("head");
  append(head, "service", call.service);
  append(head, "serial", fault.kind == FaultKind::kWrongReference ? "1" + call.serial : call.serial);
  append(head, "code", said.code);
  append(head, "text", said.code == kDone ? "交易成功" : "交易失败");
  pugi::xml_node body = root.append_child("body");
  append(body, "order", call.order);
  append(body, "customer", call.service == "inquire" ? call.customer : said.customer_number);
  if (said.code == kDone && (call.service == "pay" || call.service == "query")) {
    const std::string state = StateOf(call, said);
    append(body, "state", state);
    if (state == "refused") append(body, "refusal", said.original_code);
    append(body, "amount", core::FormatYuan(said.amount));
    append(body, "reference", said.biller_reference);
  }
  if (said.code == kDone && call.service == "inquire") append(body, "owed", core::FormatYuan(said.owed));
  append(body, "name", said.customer_name);
  // All of it is ASCII, or a name and a text that GBK has.
  return HttpBytes(200, {{"Content-Type", "text/xml; charset=GBK"}}, gas::GbkFromUtf8(gas::ToText(document)).value());
}

HttpAnswer GasHost::Answer(const HttpRequest& request) {
  absl::StatusOr<Call> parsed = ParseCall(request.body());
  const Call call = parsed.ok() ? *std::move(parsed) : Call();
  const std::string operation = OperationOf(call);
  if (const std::string_view objection = Objection(call); !objection.empty()) {
    biller_.NoteUnheard(operation, call.order);
    return {Bytes(call, Only(objection), {}), {}};
  }
  const std::string customer = call.customer.empty() ? biller_.CustomerOf(call.order) : call.customer;
  const Fault fault = faults_->Next(operation, customer);
  if (!HasEffect(fault.kind) && fault.kind != FaultKind::kDecline) {
    biller_.NoteUnheard(operation, call.order);
    return {"", fault};
  }
  if (fault.kind == FaultKind::kHeldUp) {
    return {"", fault, [this, call, fault] { return Bytes(call, Decide(call, false), fault); }};
  }
  return {Bytes(call, Decide(call, fault.kind == FaultKind::kDecline), fault), fault};
}

// In GBK: a line of totals, then a line for each payment that took effect that day and still has it; fields parted by
// '|'.
std::string GasHost::Statement(core::BusinessDate date) const {
  std::string lines;
  uint64_t count = 0;
  core::Money total;
  biller_.books().ForEach(biller_.host(), date, [&](const std::string& order, const Entry& entry) {
    if (entry.state != EntryState::kApplied) return;
    ++count;
    total += entry.amount;
    lines += fmt::format("{}|{}|{}|{}|{}|缴费成功\n", order, entry.biller_reference, entry.customer_number,
                         core::FormatYuan(entry.amount), gas::ChinaTime(entry.at));
  });
  return gas::GbkFromUtf8(fmt::format("{}|{}|{}\n{}", date.number(), count, core::FormatYuan(total), lines)).value();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> MakeGasHost(const HostParts& parts) {
  SettingsReader reader(parts.settings);
  const std::string partner = reader.Text("partner");
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  return std::make_unique<GasHost>(parts, partner);
}

}  // namespace waystation::adapters::sim
