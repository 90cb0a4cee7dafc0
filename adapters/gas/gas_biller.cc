#include "adapters/gas/gas_biller.h"

#include <chrono>
#include <optional>
#include <variant>

#include "adapters/gas/china_time.h"
#include "adapters/http/settings.h"
#include "adapters/plain_text.h"
#include "fmt/format.h"

namespace waystation::adapters::gas {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr size_t kMostPartnerBytes = 32;
constexpr uint64_t kSerialsInAMillisecond = 10'000'000;

CapabilityCard Card() {
  CapabilityCard card;
  card.service = "gas";
  card.inquiry = InquiryRule::kRequired;
  card.amount_rule = AmountRule::kExact;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(1'000'000);
  card.customer_number_pattern = R"(^\d{8}$)";
  card.customer_number_hint = "a gas customer number: 8 digits";
  card.can_query = true;
  // The host takes up no request whose time is more than a minute ago; the rest is for clocks that differ.
  card.query_denial_is_final = true;
  card.settling_time = milliseconds(90'000);
  return card;
}

core::TimePoint Now() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string OrderOf(const PaymentRequest& request) {
  return request.payment_id.ToString();
}

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> GasBiller::Create(const Settings& settings,
                                                                 const CardOverrides& overrides) {
  SettingsReader reader(settings);
  http::ClientOptions options = http::ReadClientOptions(reader, http::Transport::kTlsOrPlain);
  const std::string partner = reader.Text("partner");
  if (!IsPlainText(partner, kMostPartnerBytes)) {
    reader.Refuse("partner",
                  fmt::format("it is too long; expected a plain text of at most {} bytes", kMostPartnerBytes));
  }
  absl::StatusOr<ResultCodes> codes = ResultCodes::Parse(reader.Text("result_codes"));
  if (!codes.ok()) reader.Refuse("result_codes", std::string(codes.status().message()));
  if (absl::Status status = reader.Finish(); !status.ok()) return status;

  absl::StatusOr<CapabilityCard> card = WithOverrides(Card(), overrides);
  if (!card.ok()) return card.status();
  return std::unique_ptr<BillerAdapter>(
      new GasBiller(*std::move(card), partner, *std::move(codes), std::move(options)));
}

GasBiller::GasBiller(CapabilityCard card, std::string partner, ResultCodes codes, http::ClientOptions options)
    : card_(std::move(card)), partner_(std::move(partner)), codes_(std::move(codes)), client_(std::move(options)) {}

asio::awaitable<GasBiller::Heard> GasBiller::Ask(std::string_view service, Body body, Deadline deadline,
                                                 core::TraceContext trace) {
  const core::TimePoint now = Now();
  const uint64_t count = requests_.fetch_add(1, std::memory_order_relaxed);
  Heard heard;
  heard.serial = fmt::format("{}{:07}", now.time_since_epoch().count(), count % kSerialsInAMillisecond);
  RequestMessage message{
      .service = service, .partner = partner_, .serial = heard.serial, .time = ChinaTime(now), .body = {}};
  message.body = std::move(body);
  absl::StatusOr<std::string> bytes = Encode(message);
  if (!bytes.ok()) {
    heard.result = http::NeverLeft{std::string(bytes.status().message())};
    co_return heard;
  }
  http::Request request{.method = "POST", .target = "", .fields = {}, .body = *std::move(bytes), .trace = trace};
  request.fields = {{"Content-Type", "text/xml; charset=GBK"}};
  const auto check = [&heard, service](const http::Answer& answer) {
    heard.decoded = DecodeAnswer(answer.body());
    return heard.decoded.ok() && heard.decoded->service == service && heard.decoded->serial == heard.serial;
  };
  heard.result = co_await client_.Send(std::move(request), deadline, check);
  co_return heard;
}

asio::awaitable<GasBiller::Reply> GasBiller::Call(std::string_view service, Body body, Deadline deadline,
                                                  core::TraceContext trace) {
  Heard heard = co_await Ask(service, std::move(body), deadline, trace);
  if (const auto* never_left = std::get_if<http::NeverLeft>(&heard.result)) co_return NotSent{never_left->cause};
  if (const auto* broken = std::get_if<http::Broken>(&heard.result)) co_return Unknown{broken->cause};
  const unsigned status = std::get<http::Answer>(heard.result).result_int();
  if (status != 200) co_return Unknown{fmt::format("the host answers status {}", status)};
  const absl::StatusOr<AnswerMessage>& decoded = heard.decoded;
  if (!decoded.ok()) {
    co_return Unknown{fmt::format("the answer is not understood: {}", std::string(decoded.status().message()))};
  }
  if (decoded->service != service || decoded->serial != heard.serial) {
    co_return Unknown{fmt::format("the answer is to {} {}; expected one to {} {}", decoded->service, decoded->serial,
                                  service, heard.serial)};
  }
  co_return *std::move(heard.decoded);
}

asio::awaitable<InquiryOutcome> GasBiller::Inquire(InquiryRequest request, Deadline deadline) {
  Body body;
  body.emplace_back("customer", request.customer_number);
  const Reply reply = co_await Call("inquire", std::move(body), deadline, request.trace);
  if (const auto unanswered = http::WithoutAnswer<InquiryOutcome>(reply)) co_return *unanswered;
  const AnswerMessage& answer = std::get<AnswerMessage>(reply);
  InquiryOutcome outcome = InquiryOutcomeOf(answer.order, codes_);
  // The company keeps bills: who owes, and how much, must stand there.
  const bool whole = answer.customer == request.customer_number && answer.order.owed;
  if (std::holds_alternative<InquiryFound>(outcome) && !whole) co_return SettlesNothing("an inquiry", answer.order);
  co_return outcome;
}

asio::awaitable<PayOutcome> GasBiller::Pay(PaymentRequest request, Deadline deadline) {
  Body body;
  body.emplace_back("order", OrderOf(request));
  body.emplace_back("customer", request.customer_number);
  body.emplace_back("amount", core::FormatYuan(request.amount));
  body.emplace_back("station", request.station.ToString());
  body.emplace_back("date", std::to_string(request.business_date.number()));
  const Reply reply = co_await Call("pay", std::move(body), deadline, request.trace);
  if (const auto outcome = http::WithoutAnswer<PayOutcome>(reply)) co_return *outcome;
  co_return PayOutcomeOf(std::get<AnswerMessage>(reply).order, codes_, request);
}

asio::awaitable<QueryOutcome> GasBiller::Query(PaymentRequest request, Deadline deadline) {
  Body body;
  body.emplace_back("order", OrderOf(request));
  const Reply reply = co_await Call("query", std::move(body), deadline, request.trace);
  if (const auto outcome = http::WithoutAnswer<QueryOutcome>(reply)) co_return *outcome;
  co_return QueryOutcomeOf(std::get<AnswerMessage>(reply).order, codes_, request);
}

asio::awaitable<ReverseOutcome> GasBiller::Reverse(PaymentRequest /*request*/, Deadline /*deadline*/) {
  co_return Unknown{"this biller takes no reversal advice"};
}

asio::awaitable<CancelOutcome> GasBiller::Cancel(PaymentRequest /*request*/, Deadline /*deadline*/) {
  co_return NotSent{"this biller takes no cancel"};
}

asio::awaitable<bool> GasBiller::Probe(Deadline deadline) {
  const Heard heard = co_await Ask("echo", Body(), deadline);
  const auto* answer = std::get_if<http::Answer>(&heard.result);
  co_return answer != nullptr&& heard.decoded.ok() && !http::IsOutOfOrder(*answer);
}

}  // namespace waystation::adapters::gas
