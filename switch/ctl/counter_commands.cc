#include <chrono>
#include <memory>
#include <random>

#include "fmt/format.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/payment_text.h"
#include "switch/ctl/text_forms.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

using Milliseconds = std::chrono::milliseconds;

// What Pay and Cancel wait for when wait_ms is absent.
constexpr Milliseconds kDefaultWait{15'000};

struct InquireArguments {
  std::string station, operator_id, biller, customer;
};

struct PayArguments {
  std::string station, operator_id, biller, customer, token;
  // Null: make one. One that is given is sent as it is, also empty: a script whose variable is empty must not pay anew.
  std::optional<std::string> request_id;
  core::Money amount;
  std::optional<double> wait_s;
};

struct CancelArguments {
  std::string station, operator_id, payment_id;
  std::optional<double> wait_s;
};

// Unlike any other of this station, whoever made it and when.
std::string MakeRequestId() {
  const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  std::random_device random;
  return fmt::format("ctl-{}-{:08x}{:08x}", now.time_since_epoch().count(), random(), random());
}

// Null stays null: the switch then has its own default.
std::optional<uint32_t> WaitMs(const std::optional<double>& wait_s) {
  if (!wait_s.has_value()) return std::nullopt;
  return static_cast<uint32_t>(*wait_s * 1000);
}

ExitStatus FailDecline(Session& session, const v1::Decline& decline) {
  return session.Fail(ExitStatus::kRefused, "declined: " + DeclineText(decline), NextAfter(decline.reason()));
}

ExitStatus Inquire(Session& session, const InquireArguments& arguments) {
  v1::InquireRequest request;
  request.set_station_id(arguments.station);
  request.set_operator_id(arguments.operator_id);
  request.set_biller_id(arguments.biller);
  request.set_customer_number(arguments.customer);
  v1::InquireResponse response;
  const ExitStatus called = session.Call(&v1::PaymentService::Stub::Inquire, request, &response);
  if (called != ExitStatus::kDone) return called;

  if (session.json()) session.PrintJson(response);
  if (response.has_decline()) return FailDecline(session, response.decline());
  if (session.json()) return ExitStatus::kDone;
  const v1::InquiryAnswer& answer = response.answer();
  FieldList fields;
  fields.Add("customer number", arguments.customer);
  fields.Add("customer name", answer.customer_name());
  fields.AddMoney("owed", answer.owed_fen());
  fields.AddMoney("least to pay", answer.least_fen());
  fields.AddMoney("most to pay", answer.most_fen());
  fields.Add("token good until", ChinaTimeWithZone(answer.expires_at_ms()));
  fields.Add("token", answer.inquiry_token());
  session.out() << fields.ToString();
  return ExitStatus::kDone;
}

// Says on stderr why a payment is not simply paid, and how to go on.
ExitStatus ExplainUnpaid(Session& session, const v1::Payment& payment) {
  const ExitStatus exit = ExitForPay(payment.state());
  if (payment.state() == v1::PAYMENT_STATE_DECLINED) return FailDecline(session, payment.decline());
  const std::string stands = fmt::format("payment {} is {}", payment.payment_id(), Word(payment.state()));
  if (exit == ExitStatus::kRefused) {
    return session.Fail(exit, stands + ": it is not paid, and this request id will not pay it any more",
                        "to pay after all, use a new request id");
  }
  return session.Fail(
      exit, stands + ": its outcome is not known yet, and its money stays held",
      fmt::format("follow it with `switchctl payment show {}`; do not pay again under another request id",
                  payment.payment_id()));
}

ExitStatus Pay(Session& session, const PayArguments& arguments) {
  v1::PayRequest request;
  request.set_station_id(arguments.station);
  request.set_operator_id(arguments.operator_id);
  request.set_biller_id(arguments.biller);
  request.set_customer_number(arguments.customer);
  request.set_amount_fen(arguments.amount.fen());
  request.set_inquiry_token(arguments.token);
  const std::optional<uint32_t> wait_ms = WaitMs(arguments.wait_s);
  if (wait_ms.has_value()) request.set_wait_ms(*wait_ms);
  request.set_request_id(arguments.request_id.has_value() ? *arguments.request_id : MakeRequestId());
  if (!arguments.request_id.has_value()) {
    // Before anything is sent, so that whoever must retry has it, whatever happens.
    session.err() << fmt::format("request id: {}\n", request.request_id()) << std::flush;
  }

  v1::PayResponse response;
  const ExitStatus called = session.Call(
      &v1::PaymentService::Stub::Pay, request, &response,
      fmt::format("repeat the very same command with --request-id {}: it never pays twice", request.request_id()),
      wait_ms.has_value() ? Milliseconds(*wait_ms) : kDefaultWait);
  if (called != ExitStatus::kDone) return called;

  const v1::Payment& payment = response.payment();
  const bool paid = payment.state() == v1::PAYMENT_STATE_SUCCEEDED;
  if (session.json()) {
    session.PrintJson(response);
  } else {
    session.out() << (paid ? Receipt(payment) : Details(payment));
  }
  return paid ? ExitStatus::kDone : ExplainUnpaid(session, payment);
}

ExitStatus Cancel(Session& session, const CancelArguments& arguments) {
  v1::CancelRequest request;
  request.set_station_id(arguments.station);
  request.set_operator_id(arguments.operator_id);
  request.set_payment_id(arguments.payment_id);
  const std::optional<uint32_t> wait_ms = WaitMs(arguments.wait_s);
  if (wait_ms.has_value()) request.set_wait_ms(*wait_ms);
  v1::CancelResponse response;
  const ExitStatus called = session.Call(&v1::PaymentService::Stub::Cancel, request, &response,
                                         "repeat the very same command: a payment is never cancelled twice",
                                         wait_ms.has_value() ? Milliseconds(*wait_ms) : kDefaultWait);
  if (called != ExitStatus::kDone) return called;

  if (session.json()) {
    session.PrintJson(response);
  } else {
    session.out() << Details(response.payment());
  }
  if (response.has_decline()) return FailDecline(session, response.decline());
  const ExitStatus exit = ExitForCancel(response);
  if (exit == ExitStatus::kDone) return exit;
  return session.Fail(exit,
                      fmt::format("payment {} is {}: whether it is cancelled is not known yet",
                                  response.payment().payment_id(), Word(response.payment().state())),
                      fmt::format("follow it with `switchctl payment show {}`", response.payment().payment_id()));
}

// The four options that say who asks, and for which customer.
void AddCounterOptions(CLI::App& command, std::string& station, std::string& operator_id, std::string& biller,
                       std::string& customer) {
  AddStationOption(command, station);
  command.add_option("--operator", operator_id, "Who stands at the counter: user name, 10 digits")
      ->required()
      ->type_name("ID");
  command.add_option("--biller", biller, "The biller, as `biller list` names it")->required()->type_name("ID");
  command.add_option("--customer", customer, "The customer's number with the biller")->required()->type_name("NUMBER");
}

}  // namespace

void AddCounterCommands(CommandLine& line, CLI::App& payment) {
  auto inquire = std::make_shared<InquireArguments>();
  CLI::App& inquire_app = line.AddCommand(
      line.root(),
      {"inquire", "Ask a biller what a customer owes; changes nothing",
       "switchctl inquire --station 100000000001 --operator 2000000001 --biller gas --customer 30000000"},
      [inquire](Session& session) { return Inquire(session, *inquire); });
  inquire_app.group("Payments");
  AddCounterOptions(inquire_app, inquire->station, inquire->operator_id, inquire->biller, inquire->customer);

  auto pay = std::make_shared<PayArguments>();
  CLI::App& pay_app = line.AddCommand(
      line.root(),
      {"pay", "Pay a bill or top up a number, and print the receipt",
       "switchctl pay --station 100000000001 --operator 2000000001 --biller mobile --customer 13800000000 --amount 50\n"
       "switchctl pay --station 100000000001 --operator 2000000001 --biller gas --customer 30000000 --amount 86.40 "
       "--token TOKEN --request-id till1-000042"},
      [pay](Session& session) { return Pay(session, *pay); });
  pay_app.group("Payments");
  AddCounterOptions(pay_app, pay->station, pay->operator_id, pay->biller, pay->customer);
  AddYuanOption(pay_app, "--amount", pay->amount, "What to pay, such as 50 or 50.00");
  pay_app
      .add_option(
          "--request-id", pay->request_id,
          "Your own id of this request, the same for every retry;\nleft out, one is made and printed on stderr first")
      ->type_name("ID");
  pay_app.add_option("--token", pay->token, "From `inquire`, where the biller requires it")->type_name("TOKEN");
  AddWaitOption(pay_app, pay->wait_s);

  auto cancel = std::make_shared<CancelArguments>();
  CLI::App& cancel_app = line.AddCommand(payment,
                                         {"cancel", "Take a payment back, on its own business date",
                                          "switchctl payment cancel --station 100000000001 --operator 2000000001 1042"},
                                         [cancel](Session& session) { return Cancel(session, *cancel); });
  AddStationOption(cancel_app, cancel->station);
  cancel_app.add_option("--operator", cancel->operator_id, "Who takes it back: user name, 10 digits")
      ->required()
      ->type_name("ID");
  cancel_app.add_option("payment", cancel->payment_id, "The payment id")->required()->type_name("ID");
  AddWaitOption(cancel_app, cancel->wait_s);
}

}  // namespace waystation::ctl
