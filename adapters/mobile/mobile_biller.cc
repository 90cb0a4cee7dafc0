#include "adapters/mobile/mobile_biller.h"

#include <chrono>
#include <optional>
#include <utility>

#include "adapters/alarm.h"
#include "adapters/http/settings.h"
#include "adapters/mobile/answer.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "fmt/format.h"

namespace waystation::adapters::mobile {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr size_t kMostPartnerBytes = 32;

CapabilityCard Card() {
  CapabilityCard card;
  card.service = "mobile";
  card.inquiry = InquiryRule::kOptional;
  card.amount_rule = AmountRule::kFree;
  card.least = core::Money::Fen(2'000);
  card.most = core::Money::Fen(50'000);
  card.customer_number_pattern = R"(^1[3-9]\d{9}$)";
  card.customer_number_hint = "a mobile number: 11 digits, the first two 13 to 19";
  card.cancel = CancelRule::kSameDay;
  card.can_query = true;
  card.can_reverse = true;
  // The host takes up no request that was signed more than a minute ago; the rest is for clocks that differ.
  card.query_denial_is_final = true;
  card.settling_time = milliseconds(90'000);
  return card;
}

std::string MillisecondsNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<milliseconds>(now).count());
}

bool IsPartner(std::string_view text) {
  const std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return text.size() <= kMostPartnerBytes && text.find_first_not_of(allowed) == std::string_view::npos;
}

json::value Text(std::string_view text) {
  return json::string(json::string_view(text.data(), text.size()));
}

std::string OrderOf(const PaymentRequest& request) {
  return request.payment_id.ToString();
}

std::string Unsigned(const http::Answer& answer) {
  return fmt::format("the answer, of status {}, does not bear the host's signature", answer.result_int());
}

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> MobileBiller::Create(const Settings& settings,
                                                                    const CardOverrides& overrides) {
  SettingsReader reader(settings);
  http::ClientOptions options = http::ReadClientOptions(reader, http::Transport::kTls);
  const std::string partner = reader.Text("partner");
  if (!IsPartner(partner)) {
    reader.Refuse("partner", fmt::format("\"{}\" is not understood; expected up to {} letters, digits, -, _ and .",
                                         partner, kMostPartnerBytes));
  }
  absl::StatusOr<Signer> signer = Signer::FromFile(reader.Text("key_file"));
  if (!signer.ok()) reader.Refuse("key_file", std::string(signer.status().message()));
  absl::StatusOr<ResultCodes> codes = ResultCodes::Parse(reader.Text("result_codes"));
  if (!codes.ok()) reader.Refuse("result_codes", std::string(codes.status().message()));
  if (absl::Status status = reader.Finish(); !status.ok()) return status;

  absl::StatusOr<CapabilityCard> card = WithOverrides(Card(), overrides);
  if (!card.ok()) return card.status();
  return std::unique_ptr<BillerAdapter>(
      new MobileBiller(*std::move(card), partner, *std::move(signer), *std::move(codes), std::move(options)));
}

MobileBiller::MobileBiller(CapabilityCard card, std::string partner, Signer signer, ResultCodes codes,
                           http::ClientOptions options)
    : card_(std::move(card)),
      partner_(std::move(partner)),
      authority_(options.endpoint.Authority()),
      path_(options.endpoint.path),
      signer_(std::move(signer)),
      codes_(std::move(codes)),
      client_(std::move(options)) {}

asio::awaitable<MobileBiller::Heard> MobileBiller::Ask(std::string method, std::string target, std::string body,
                                                       Deadline deadline, core::TraceContext trace) {
  Heard heard;
  const std::string path = path_ + target;
  const std::string timestamp = MillisecondsNow();
  const std::string nonce = NewNonce();
  const std::string signature = signer_.Sign({method, path, timestamp, nonce, body});
  if (nonce.empty() || signature.empty()) {
    heard.result = http::NeverLeft{"OpenSSL could not sign the request"};
    co_return heard;
  }
  http::Request request{
      .method = std::move(method), .target = std::move(target), .fields = {}, .body = std::move(body), .trace = trace};
  request.fields = {{"Content-Type", "application/json"},
                    {std::string(kPartnerField), partner_},
                    {std::string(kTimestampField), timestamp},
                    {std::string(kNonceField), nonce},
                    {std::string(kSignatureField), signature}};
  const auto check = [&](const http::Answer& answer) {
    const auto field = [&answer](std::string_view name) {
      const boost::beast::string_view value = answer[boost::beast::string_view(name.data(), name.size())];
      return std::string_view(value.data(), value.size());
    };
    const std::string status = std::to_string(answer.result_int());
    heard.is_signed =
        signer_.Verify({status, path, field(kTimestampField), nonce, answer.body()}, field(kSignatureField));
    return heard.is_signed;
  };
  heard.result = co_await client_.Send(std::move(request), deadline, check);
  // What stands in front of a host that is down answers 5xx without a signature: a matter of course.
  const auto* answer = std::get_if<http::Answer>(&heard.result);
  if (answer != nullptr && !heard.is_signed && !http::IsOutOfOrder(*answer)) {
    RaiseAlarm(authority_, Unsigned(*answer));
  }
  co_return heard;
}

asio::awaitable<MobileBiller::Reply> MobileBiller::Call(std::string method, std::string target, std::string body,
                                                        Deadline deadline, core::TraceContext trace) {
  const Heard heard = co_await Ask(std::move(method), std::move(target), std::move(body), deadline, trace);
  if (const auto* never_left = std::get_if<http::NeverLeft>(&heard.result)) co_return NotSent{never_left->cause};
  if (const auto* broken = std::get_if<http::Broken>(&heard.result)) co_return Unknown{broken->cause};
  const http::Answer& answer = std::get<http::Answer>(heard.result);
  if (!heard.is_signed) co_return Unknown{Unsigned(answer)};
  if (answer.result_int() != 200) co_return Unknown{fmt::format("the host answers status {}", answer.result_int())};
  absl::StatusOr<OrderAnswer> decoded = DecodeAnswer(answer.body());
  if (!decoded.ok()) {
    co_return Unknown{fmt::format("the answer is not understood: {}", std::string(decoded.status().message()))};
  }
  co_return *std::move(decoded);
}

asio::awaitable<InquiryOutcome> MobileBiller::Inquire(InquiryRequest request, Deadline deadline) {
  std::string body = json::serialize(json::object{{"mobile", Text(request.customer_number)}});
  const Reply reply = co_await Call("POST", "/v1/inquiries", std::move(body), deadline, request.trace);
  if (const auto outcome = http::WithoutAnswer<InquiryOutcome>(reply)) co_return *outcome;
  co_return InquiryOutcomeOf(std::get<OrderAnswer>(reply), codes_);
}

asio::awaitable<PayOutcome> MobileBiller::Pay(PaymentRequest request, Deadline deadline) {
  json::object order;
  order["order"] = OrderOf(request);
  order["mobile"] = Text(request.customer_number);
  order["amount_fen"] = request.amount.fen();
  order["station"] = request.station.ToString();
  order["business_date"] = request.business_date.ToString();
  const Reply reply = co_await Call("POST", "/v1/orders", json::serialize(order), deadline, request.trace);
  if (const auto outcome = http::WithoutAnswer<PayOutcome>(reply)) co_return *outcome;
  co_return PayOutcomeOf(std::get<OrderAnswer>(reply), codes_, request);
}

asio::awaitable<QueryOutcome> MobileBiller::Query(PaymentRequest request, Deadline deadline) {
  const Reply reply = co_await Call("GET", "/v1/orders/" + OrderOf(request), "", deadline, request.trace);
  if (const auto outcome = http::WithoutAnswer<QueryOutcome>(reply)) co_return *outcome;
  co_return QueryOutcomeOf(std::get<OrderAnswer>(reply), codes_, request);
}

asio::awaitable<MobileBiller::Reply> MobileBiller::TakeBack(const PaymentRequest& request, std::string_view how,
                                                            Deadline deadline) {
  const std::string order = OrderOf(request);
  json::object body;
  body["order"] = order;
  body["amount_fen"] = request.amount.fen();
  if (!request.biller_reference.empty()) body["reference"] = Text(request.biller_reference);
  co_return co_await Call("POST", fmt::format("/v1/orders/{}/{}", order, how), json::serialize(body), deadline,
                          request.trace);
}

asio::awaitable<ReverseOutcome> MobileBiller::Reverse(PaymentRequest request, Deadline deadline) {
  const Reply reply = co_await TakeBack(request, "reverse", deadline);
  if (const auto outcome = http::WithoutAnswer<ReverseOutcome>(reply)) co_return *outcome;
  co_return ReverseOutcomeOf(std::get<OrderAnswer>(reply), codes_, request);
}

asio::awaitable<CancelOutcome> MobileBiller::Cancel(PaymentRequest request, Deadline deadline) {
  const Reply reply = co_await TakeBack(request, "cancel", deadline);
  if (const auto outcome = http::WithoutAnswer<CancelOutcome>(reply)) co_return *outcome;
  co_return CancelOutcomeOf(std::get<OrderAnswer>(reply), codes_, request);
}

asio::awaitable<bool> MobileBiller::Probe(Deadline deadline) {
  const Heard heard = co_await Ask("GET", "/v1/health", "", deadline);
  const auto* answer = std::get_if<http::Answer>(&heard.result);
  co_return answer != nullptr&& heard.is_signed && !http::IsOutOfOrder(*answer);
}

}  // namespace waystation::adapters::mobile
