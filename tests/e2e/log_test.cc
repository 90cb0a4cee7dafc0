// The log of a real switch: lines of JSON, their traces, and its level changed while it runs.

#include <csignal>

#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "adapters/remote/card_text.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "fmt/format.h"
#include "tests/adapters/adapter_process.h"
#include "tests/e2e/calls.h"

namespace waystation::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";

using Line = boost::json::object;

std::string Text(const Line& line, const char* key) {
  return line.contains(key) ? std::string(line.at(key).as_string()) : "";
}

class Log : public SwitchTest {
 protected:
  void SetUp() override {
    adapter_.pay = [this](adapters::AdapterProcess::Context* context, const adapter::v1::PaymentRequest&,
                          adapter::v1::PayResponse* response) {
      const auto sent = context->client_metadata().find("traceparent");
      if (sent != context->client_metadata().end()) passed_on_.assign(sent->second.data(), sent->second.size());
      response->mutable_approved()->set_biller_reference("R1");
      return grpc::Status::OK;
    };
    adapter_.Start();
    SwitchOptions options;
    options.more_yaml = "log: {format: json}";
    options.more_billers = fmt::format(R"(  - id: water
    name: Water company
    adapter: remote
    settings:
      address: {}
      card_file: {}/water.card
)",
                                       adapter_.address(), cards_.path());
    std::ofstream(cards_.path() + "/water.card") << adapters::remote::CardText(adapter_.described);
    ASSERT_NO_FATAL_FAILURE(StartSwitch(options));
    ASSERT_TRUE(OpenStation(api_, station_, 1'000'000).ok());
  }

  // All lines so far; each is an object with what every line has.
  std::vector<Line> Lines() const {
    std::vector<Line> lines;
    std::istringstream text(process_->child().Errors());
    for (std::string line; std::getline(text, line) && !text.eof();) {
      const Line object = boost::json::parse(line).as_object();
      for (const char* key : {"time", "level", "component", "message"}) EXPECT_TRUE(object.contains(key)) << line;
      lines.push_back(object);
    }
    return lines;
  }
  // The first line for which that holds, once it is there.
  Line WaitForLine(const std::function<bool(const Line&)>& is_it) const {
    const auto give_up = std::chrono::steady_clock::now() + kCallLimit;
    while (std::chrono::steady_clock::now() < give_up) {
      for (const Line& line : Lines()) {
        if (is_it(line)) return line;
      }
    }
    ADD_FAILURE() << "no such line in\n" << process_->child().Errors();
    return {};
  }

  v1::Payment PayTraced(const v1::PayRequest& request, const std::vector<std::string>& traceparents) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
    for (const std::string& traceparent : traceparents) context.AddMetadata("traceparent", traceparent);
    v1::PayResponse response;
    const grpc::Status status = api_.payments->Pay(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.payment();
  }

  Answer<v1::LogStatus> SetLevel(v1::LogLevel level) {
    v1::SetLogLevelRequest request;
    request.set_level(level);
    return Call(api_.operations.get(), &v1::OperationsService::Stub::SetLogLevel, request);
  }

  Ended Switchctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"switchctl", "--address", process_->address()});
    return RunToEnd(arguments, process_->folder() + "/switchctl.log");
  }

  adapters::AdapterProcess adapter_;
  std::string passed_on_;
  const std::unique_ptr<bench::TemporaryFolder> made_ = *bench::TemporaryFolder::Make(bench::DefaultParentFolder());
  const bench::TemporaryFolder& cards_ = *made_;
  const std::string station_ = StationNumber(1);
};

// From the caller's metadata through the payment to the adapter's, with the switch's own span; and into each line.
TEST_F(Log, ATraceGoesWithItsPaymentToTheAdapterAndIntoTheLines) {
  ASSERT_TRUE(SetLevel(v1::LOG_LEVEL_DEBUG).ok());
  const v1::Payment paid = PayTraced(PayRequestFor(station_, "traced", "water", "100000001", 5'000), {kTraceparent});
  EXPECT_EQ(paid.state(), v1::PAYMENT_STATE_SUCCEEDED);
  EXPECT_THAT(passed_on_, AllOf(SizeIs(55), StartsWith(std::string("00-") + kTraceId + "-"), ::testing::EndsWith("-01"),
                                ::testing::Not(HasSubstr("00f067aa0ba902b7"))));
  const Line line = WaitForLine([&paid](const Line& it) {
    return Text(it, "payment_id") == paid.payment_id() && Text(it, "state") == "SUCCEEDED";
  });
  EXPECT_EQ(Text(line, "trace_id"), kTraceId);
  EXPECT_EQ(Text(line, "station_id"), station_);
  EXPECT_EQ(Text(line, "request_id"), "traced");
  EXPECT_EQ(Text(line, "biller"), "water");
  EXPECT_EQ(Text(line, "level"), "debug");
}

// One that is not well-formed is no trace: another begins.
TEST_F(Log, ABadTraceparentIsAsNone) {
  int n = 0;
  for (const std::vector<std::string>& sent : {std::vector<std::string>{},
                                               {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
                                               {""},
                                               {kTraceparent, kTraceparent}}) {
    passed_on_.clear();
    PayTraced(PayRequestFor(station_, fmt::format("r{}", ++n), "water", "100000001", 5'000), sent);
    EXPECT_THAT(passed_on_,
                AllOf(SizeIs(55), StartsWith("00-"), ::testing::EndsWith("-00"), ::testing::Not(HasSubstr(kTraceId))));
  }
}

TEST_F(Log, ItsLevelIsChangedWhileItRuns) {
  const auto pay = [this](const std::string& request) {
    return PayTraced(PayRequestFor(station_, request, "mobile", CustomerNumber("mobile", 1, 0), 5'000), {});
  };
  EXPECT_THAT(Switchctl({"log-level"}).output, HasSubstr("INFO"));
  pay("at-info");
  const Ended set = Switchctl({"log-level", "debug"});
  EXPECT_EQ(set.exit_status, 0) << set.errors;
  EXPECT_THAT(set.output, HasSubstr("DEBUG"));
  const v1::Payment at_debug = pay("at-debug");
  WaitForLine([&](const Line& line) { return Text(line, "payment_id") == at_debug.payment_id(); });
  for (const Line& line : Lines()) EXPECT_NE(Text(line, "request_id"), "at-info");
  const Line audit = WaitForLine([](const Line& line) { return Text(line, "to_level") == "debug"; });
  EXPECT_EQ(Text(audit, "from_level"), "info");
  EXPECT_THAT(Text(audit, "caller"), StartsWith("ipv4:127.0.0.1:"));

  // Said, though neither level has warnings; and held to: what comes before the end has no line.
  EXPECT_EQ(SetLevel(v1::LOG_LEVEL_ERROR).value.level(), v1::LOG_LEVEL_ERROR);
  pay("at-error");
  EXPECT_EQ(SetLevel(v1::LOG_LEVEL_UNSPECIFIED).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(SetLevel(v1::LOG_LEVEL_INFO).value.level(), v1::LOG_LEVEL_INFO);
  ASSERT_TRUE(Stop().ok());
  const std::vector<Line> lines = Lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(Text(lines.back(), "message"), StartsWith("stopped at leg ")) << "flushed at the end";
  int changes = 0;
  for (const Line& line : lines) {
    EXPECT_NE(Text(line, "request_id"), "at-error");
    changes += line.contains("to_level") ? 1 : 0;
  }
  EXPECT_EQ(changes, 3);
}

TEST_F(Log, TheLastWordsAreALineToo) {
  process_->child().Signal(SIGABRT);
  ASSERT_EQ(process_->child().WaitForEnd(kCallLimit), -SIGABRT);
  const std::vector<Line> lines = Lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(Text(lines.back(), "level"), "critical");
  EXPECT_THAT(Text(lines.back(), "message"), HasSubstr("are safe in " + process_->data_folder()));
  // Its time is worked out by the handler of the signal.
  EXPECT_GE(Text(lines.back(), "time"), Text(lines.front(), "time"));
  EXPECT_THAT(Text(lines.back(), "time"), AllOf(SizeIs(24), ::testing::EndsWith("Z")));
}

}  // namespace
}  // namespace waystation::e2e
