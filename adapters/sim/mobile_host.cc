#include "adapters/sim/mobile_host.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "adapters/mobile/signature.h"
#include "adapters/sim/http_front.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "fmt/format.h"

namespace waystation::adapters::sim {
namespace {

namespace json = boost::json;
using mobile::Signed;
using mobile::Signer;

constexpr std::chrono::minutes kOldestRequest{1};
// Of the interface, not of a payment.
constexpr std::string_view kTooOld = "97";
constexpr std::string_view kNotUnderstood = "98";
constexpr std::string_view kNotSigned = "99";

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view Field(const HttpRequest& request, std::string_view name) {
  return View(request[boost::beast::string_view(name.data(), name.size())]);
}

json::string Text(std::string_view text) {
  return json::string(json::string_view(text.data(), text.size()));
}

BillerAnswer Only(std::string_view code) {
  BillerAnswer answer;
  answer.code = code;
  return answer;
}

// What a request asks for. Each stands in the books once: the Biller notes what it decides, the host the rest.
struct Call {
  std::string operation;  // one of the words of Faults; empty when it is not understood
  std::string order;
  std::string customer;
  core::Money amount;
};

std::string TextOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? "" : std::string(text->data(), text->size());
}

Call ParseCall(const HttpRequest& request) {
  constexpr std::string_view kOrders = "/v1/orders";
  constexpr std::string_view kOneOrder = "/v1/orders/";
  const std::string_view target = View(request.target());
  boost::system::error_code error;
  const json::value body = json::parse(request.body().empty() ? "{}" : request.body(), error);
  if (error || !body.is_object()) return {};
  const json::object& object = body.get_object();
  const bool post = request.method() == boost::beast::http::verb::post;
  Call call;
  call.customer = TextOf(object, "mobile");
  call.order = TextOf(object, "order");
  if (const json::value* amount = object.if_contains("amount_fen"); amount != nullptr && amount->is_int64()) {
    call.amount = core::Money::Fen(amount->get_int64());
  }
  if (target == "/v1/health") {
    call.operation = "probe";
  } else if (target == "/v1/inquiries" && post) {
    call.operation = "inquire";
  } else if (target == kOrders && post) {
    call.operation = "pay";
  } else if (target.starts_with(kOneOrder)) {
    const std::string_view rest = target.substr(kOneOrder.size());
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view order = rest.substr(0, slash);
    const std::string_view how = rest.substr(slash);
    if (post && order != call.order) return {};
    call.order = order;
    if (!post && how.empty()) call.operation = "query";
    if (post && how == "/reverse") call.operation = "reverse";
    if (post && how == "/cancel") call.operation = "cancel";
  }
  return call;
}

class MobileHost final : public Host {
 public:
  MobileHost(const HostParts& parts, std::shared_ptr<boost::asio::ssl::context> tls, std::string partner, Signer signer)
      : biller_(parts.name, BillerRules::Mobile(), parts.books, parts.clock),
        faults_(parts.faults),
        clock_(parts.clock),
        partner_(std::move(partner)),
        signer_(std::move(signer)),
        front_(parts, std::move(tls), [this](const HttpRequest& request) { return Answer(request); }) {}

  absl::Status Open() override { return front_.listener().Open(); }
  void Refuse() override { front_.listener().Refuse(); }
  void CutAll() override { front_.listener().CutAll(); }
  std::string address() const override { return front_.listener().address(); }
  std::string Statement(core::BusinessDate date) const override;

 private:
  HttpAnswer Answer(const HttpRequest& request);
  // The code that refuses the request itself; empty where it is in order.
  std::string_view Objection(const HttpRequest& request) const;
  json::object Decide(const Call& call, bool refuse);
  std::string TakeUp(const HttpRequest& request, const Call& call, const Fault& fault);
  std::string Sealed(const HttpRequest& request, const json::object& answer, const Fault& fault) const;

  Biller biller_;
  Faults* const faults_;
  const core::Clock* const clock_;
  const std::string partner_;
  const Signer signer_;
  HttpFront front_;
};

std::string_view MobileHost::Objection(const HttpRequest& request) const {
  const std::string_view timestamp = Field(request, mobile::kTimestampField);
  const Signed message = {View(request.method_string()), View(request.target()), timestamp,
                          Field(request, mobile::kNonceField), request.body()};
  if (Field(request, mobile::kPartnerField) != partner_ ||
      !signer_.Verify(message, Field(request, mobile::kSignatureField))) {
    return kNotSigned;
  }
  int64_t ms = 0;
  const auto parsed = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), ms);
  if (parsed.ec != std::errc()) return kNotUnderstood;
  const auto age = clock_->Now() - core::TimePoint(std::chrono::milliseconds(ms));
  return age > kOldestRequest || age < -kOldestRequest ? kTooOld : "";
}

json::object MobileHost::Decide(const Call& call, bool refuse) {
  json::object answer;
  const auto tell = [&](const BillerAnswer& said, std::string_view state) {
    answer["code"] = Text(said.code);
    if (!call.order.empty()) answer["order"] = Text(call.order);
    if (said.code != kDone) return;
    if (!state.empty()) answer["state"] = Text(state);
    if (said.amount > core::Money()) answer["amount_fen"] = said.amount.fen();
    if (!said.biller_reference.empty()) answer["reference"] = Text(said.biller_reference);
    if (!said.customer_name.empty()) answer["name"] = Text(said.customer_name);
  };
  if (call.operation == "pay") {
    tell(biller_.Pay(call.order, call.customer, call.amount, refuse), "paid");
  } else if (refuse) {
    biller_.NoteUnheard(call.operation, call.order);
    tell(Only(kRefused), "");
  } else if (call.operation == "inquire") {
    const BillerAnswer said = biller_.Inquire(call.customer);
    tell(said, "");
    if (said.code == kDone) answer["owed_fen"] = said.owed.fen();
  } else if (call.operation == "query") {
    const BillerAnswer said = biller_.Query(call.order);
    const bool refused = said.original_code != kDone && said.original_code != kTakenBackAlready;
    tell(said, refused ? "refused" : said.original_code == kDone ? "paid" : "taken_back");
    if (said.code == kDone && refused) answer["refusal"] = Text(said.original_code);
  } else if (call.operation == "reverse") {
    tell(biller_.Reverse(call.order), "taken_back");
  } else if (call.operation == "cancel") {
    tell(biller_.Cancel(call.order), "taken_back");
  } else {
    biller_.NoteUnheard(call.operation, call.order);
    tell(Only(call.operation == "probe" ? kDone : kNotUnderstood), "");
  }
  return answer;
}

HttpAnswer MobileHost::Answer(const HttpRequest& request) {
  const Call call = ParseCall(request);
  if (const std::string_view objection = Objection(request); !objection.empty()) {
    biller_.NoteUnheard(call.operation, call.order);
    return {Sealed(request, json::object{{"code", Text(objection)}}, {}), {}};
  }
  const std::string customer = call.customer.empty() ? biller_.CustomerOf(call.order) : call.customer;
  const Fault fault = faults_->Next(call.operation, customer);
  if (!HasEffect(fault.kind) && fault.kind != FaultKind::kDecline) {
    biller_.NoteUnheard(call.operation, call.order);
    return {"", fault};
  }
  if (fault.kind == FaultKind::kHeldUp) {
    return {"", fault, [this, &request, call, fault] { return TakeUp(request, call, fault); }};
  }
  return {TakeUp(request, call, fault), fault};
}

std::string MobileHost::TakeUp(const HttpRequest& request, const Call& call, const Fault& fault) {
  json::object answer = Decide(call, fault.kind == FaultKind::kDecline);
  if (fault.kind == FaultKind::kWrongReference && answer.contains("order")) answer["order"] = "1" + call.order;
  return Sealed(request, answer, fault);
}

std::string MobileHost::Sealed(const HttpRequest& request, const json::object& answer, const Fault& fault) const {
  const std::string body = json::serialize(answer);
  const std::string timestamp = std::to_string(clock_->Now().time_since_epoch().count());
  std::string nonce(Field(request, mobile::kNonceField));
  // An answer without an order belongs to another request by its nonce.
  if (fault.kind == FaultKind::kWrongReference && !answer.contains("order")) nonce += "0";
  std::string signature = signer_.Sign({"200", View(request.target()), timestamp, nonce, body});
  if (fault.kind == FaultKind::kBadMac) signature[0] = signature[0] == '0' ? '1' : '0';
  return HttpBytes(200,
                   {{"Content-Type", "application/json"},
                    {mobile::kTimestampField, timestamp},
                    {mobile::kSignatureField, signature}},
                   body);
}

std::string MobileHost::Statement(core::BusinessDate date) const {
  return CsvStatement(biller_, date, "order,reference,mobile,amount_fen,at_ms");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> MakeMobileHost(const HostParts& parts) {
  SettingsReader reader(parts.settings);
  const std::string certificate_file = reader.Text("certificate_file");
  const std::string private_key_file = reader.Text("private_key_file");
  auto tls = ServerTls(certificate_file, private_key_file);
  if (!tls.ok()) reader.Refuse("certificate_file", std::string(tls.status().message()));
  const std::string partner = reader.Text("partner");
  absl::StatusOr<Signer> signer = Signer::FromFile(reader.Text("key_file"));
  if (!signer.ok()) reader.Refuse("key_file", std::string(signer.status().message()));
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  return std::make_unique<MobileHost>(parts, *std::move(tls), partner, *std::move(signer));
}

}  // namespace waystation::adapters::sim
