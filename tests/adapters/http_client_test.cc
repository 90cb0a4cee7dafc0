#include "adapters/http/client.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "adapters/http/endpoint.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/scripted_server.h"

namespace waystation::adapters::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr milliseconds kPlenty{20'000};
constexpr size_t kMostAnswerBytes = 1'000;

const std::string kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string Describe(const Result& result) {
  if (const auto* answer = std::get_if<Answer>(&result)) {
    return std::to_string(answer->result_int()) + " " + answer->body();
  }
  if (const auto* never_left = std::get_if<NeverLeft>(&result)) return "never left: " + never_left->cause;
  return "broken: " + std::get<Broken>(result).cause;
}

// Client and server share an io_context, so that a test says what happens when.
class HttpClient : public testing::Test {
 protected:
  static ClientOptions Options(const std::string& port) {
    return {.endpoint = {.tls = false, .host = "127.0.0.1", .port = port, .path = "/base"},
            .tls = nullptr,
            .most_idle = 2,
            .idle_limit = kPlenty,
            .most_answer_bytes = kMostAnswerBytes};
  }

  void Serve(std::vector<ScriptedServer::Answer> answers) {
    server_.emplace(io_, std::move(answers));
    client_.emplace(Options(server_->port()));
  }

  // Starts a request; its result stands in `results_` at that place once it is there.
  size_t Start(Deadline deadline, bool belongs = true) {
    const size_t place = results_.size();
    results_.emplace_back();
    boost::asio::co_spawn(io_, Send(deadline, belongs), [this, place](std::exception_ptr thrown, Result result) {
      if (thrown) std::rethrow_exception(thrown);
      results_[place] = std::move(result);
    });
    return place;
  }

  std::string Finish(size_t place) {
    while (!results_[place]) io_.run_one();
    return Describe(*results_[place]);
  }

  // Of this process, of whichever kind.
  static size_t OpenSockets() {
    size_t sockets = 0;
    for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      sockets += std::filesystem::read_symlink(file, gone).string().starts_with("socket:") ? 1u : 0u;
    }
    return sockets;
  }

  std::string Get(bool belongs = true) { return Finish(Start(In(kPlenty), belongs)); }

  boost::asio::awaitable<Result> Send(Deadline deadline, bool belongs) {
    Request request{.method = "GET", .target = target_, .fields = {{"X-Field", "value"}}, .body = "", .trace = trace_};
    const auto check = [belongs](const Answer&) { return belongs; };
    co_return co_await client_->Send(std::move(request), deadline, check);
  }

  boost::asio::io_context io_;
  std::string target_ = "/thing";
  core::TraceContext trace_;
  std::optional<ScriptedServer> server_;
  std::optional<Client> client_;
  std::vector<std::optional<Result>> results_;
};

TEST_F(HttpClient, SendsAWholeRequestAndBringsTheAnswer) {
  Serve({{kHello}});
  EXPECT_EQ(Get(), "200 hello");
  ASSERT_THAT(server_->requests(), SizeIs(1));
  EXPECT_EQ(server_->requests()[0], "GET /base/thing HTTP/1.1\r\nHost: 127.0.0.1:" + server_->port() +
                                        "\r\nContent-Length: 0\r\nX-Field: value\r\n\r\n");
}

TEST_F(HttpClient, SaysWhichTraceARequestBelongsTo) {
  Serve({{kHello}});
  trace_ = *core::ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_THAT(server_->requests()[0],
              HasSubstr("\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
}

TEST_F(HttpClient, AsksForTheRootWhereThereIsNoPath) {
  Serve({{kHello}});
  ClientOptions options = Options(server_->port());
  options.endpoint.path = "";
  client_.emplace(options);
  target_ = "";
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_THAT(server_->requests()[0], testing::StartsWith("GET / HTTP/1.1\r\n"));
}

TEST_F(HttpClient, LooksANameUp) {
  Serve({{kHello}});
  ClientOptions options = Options(server_->port());
  options.endpoint.host = "localhost";
  client_.emplace(options);
  EXPECT_EQ(Get(), "200 hello");
}

TEST_F(HttpClient, BringsAnyStatus) {
  Serve({{"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"}});
  EXPECT_EQ(Get(), "503 busy");
}

TEST_F(HttpClient, BringsAChunkedAnswer) {
  Serve({{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"}});
  EXPECT_EQ(Get(), "200 hello");
}

TEST_F(HttpClient, KeepsItsConnection) {
  Serve({{kHello}, {kHello}, {kHello}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get(), "200 hello");
  EXPECT_THAT(server_->requests(), SizeIs(3));
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClient, RequestsAtOnceHaveConnectionsOfTheirOwn) {
  Serve({{kHello}, {kHello}, {kHello}, {kHello}, {kHello}});
  const std::vector<size_t> places = {Start(In(kPlenty)), Start(In(kPlenty)), Start(In(kPlenty))};
  for (const size_t place : places) EXPECT_EQ(Finish(place), "200 hello");
  EXPECT_EQ(server_->connections(), 3);
  // Two of them were kept.
  const std::vector<size_t> again = {Start(In(kPlenty)), Start(In(kPlenty))};
  for (const size_t place : again) EXPECT_EQ(Finish(place), "200 hello");
  EXPECT_EQ(server_->connections(), 3);
}

TEST_F(HttpClient, WhoComesWhileMostAreBeingOpenedWaitsForItsTurn) {
  constexpr size_t kRequests = kMostOpening + 50;
  Serve(std::vector<ScriptedServer::Answer>(kRequests, {kHello}));
  for (size_t i = 0; i < kRequests; ++i) Start(In(kPlenty));
  for (size_t i = 0; i < kRequests; ++i) EXPECT_EQ(Finish(i), "200 hello") << i;
  EXPECT_THAT(server_->requests(), SizeIs(kRequests));
}

TEST_F(HttpClient, WhoeverIsNotKeptLetsTheNextOneOpen) {
  constexpr size_t kRequests = kMostOpening + 50;
  Serve(std::vector<ScriptedServer::Answer>(kRequests, {kHello, true}));
  for (size_t i = 0; i < kRequests; ++i) Start(In(kPlenty));
  for (size_t i = 0; i < kRequests; ++i) EXPECT_EQ(Finish(i), "200 hello") << i;
  EXPECT_EQ(server_->connections(), static_cast<int>(kRequests));
}

TEST_F(HttpClient, ConnectionsStayWithTheirIoContext) {
  Serve({{kHello}, {kHello}});
  EXPECT_EQ(Get(), "200 hello");
  boost::asio::io_context other;
  std::optional<Result> result;
  boost::asio::co_spawn(other, Send(In(kPlenty), true),
                        [&result](std::exception_ptr, Result sent) { result = std::move(sent); });
  while (!result) {
    other.poll_one();
    io_.poll_one();
  }
  EXPECT_EQ(Describe(*result), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, AConnectionThatIsNotToBeKeptIsNot) {
  const std::string kept = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  const std::vector<std::string> endings = {
      kept + "Connection: close\r\n\r\n",              // the host says so
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",  // nor did it ever
      kept + "\r\n" + kHello,                          // something came after the answer
      "HTTP/1.1 100 Continue\r\n\r\n",                 // nor was it an answer yet
  };
  for (const std::string& bytes : endings) {
    SCOPED_TRACE(bytes);
    Serve({{bytes}, {kHello}});
    Get();
    EXPECT_EQ(Get(), "200 hello");
    EXPECT_EQ(server_->connections(), 2);
  }
}

TEST_F(HttpClient, AnAnswerThatIsNotOursEndsItsConnection) {
  Serve({{kHello}, {kHello}});
  EXPECT_EQ(Get(/*belongs=*/false), "200 hello");
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, AConnectionThatClosedWhileIdleIsReplaced) {
  Serve({{kHello, /*close=*/true}, {kHello}});
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, WhatComesUnaskedIsNoAnswerToTheNextRequest) {
  Serve({{kHello}, {kHello}});
  EXPECT_EQ(Get(), "200 hello");
  server_->Push("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, AConnectionIsNotKeptForLongerThanItMayBeIdle) {
  Serve({{kHello}, {kHello}});
  ClientOptions options = Options(server_->port());
  options.idle_limit = milliseconds(0);
  client_.emplace(options);
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, WhatIsIdleForTooLongIsClosedThoughNothingElseIsAsked) {
  Serve({{kHello}, {kHello}, {kHello}});
  ClientOptions options = Options(server_->port());
  options.idle_limit = milliseconds(20);
  client_.emplace(options);
  // Again too, after nothing was left.
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Get(), "200 hello");
    while (server_->open() > 0) io_.run_one();
  }
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpClient, WhatTheHostClosedIsClosedHereToo) {
  Serve({{kHello, /*close=*/true}});
  ClientOptions options = Options(server_->port());
  options.idle_limit = milliseconds(20);
  client_.emplace(options);
  const size_t before = OpenSockets();
  EXPECT_EQ(Get(), "200 hello");
  while (server_->open() > 0 || OpenSockets() > before) io_.run_one();
  EXPECT_EQ(server_->connections(), 1);
}

// Requests one after the other have no use for the second connection, nor keep it.
TEST_F(HttpClient, WhatIsNotNeededAnyMoreIsClosedWhileTheRestWorksOn) {
  Serve(std::vector<ScriptedServer::Answer>(100'000, {kHello}));
  ClientOptions options = Options(server_->port());
  options.idle_limit = milliseconds(50);
  client_.emplace(options);
  const std::vector<size_t> places = {Start(In(kPlenty)), Start(In(kPlenty))};
  for (const size_t place : places) EXPECT_EQ(Finish(place), "200 hello");
  EXPECT_EQ(server_->connections(), 2);
  while (server_->open() > 1) EXPECT_EQ(Get(), "200 hello");
}

// The host closes a kept connection just as the next request goes out: whether it took the request up nobody knows.
TEST_F(HttpClient, NothingIsSentTwice) {
  Serve({{kHello}, {"", /*close=*/true}, {kHello}});
  EXPECT_EQ(Get(), "200 hello");
  EXPECT_EQ(Get(), "broken: the host closed the connection before its answer");
  EXPECT_THAT(server_->requests(), SizeIs(2));
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpClient, AnAnswerThatIsCutIsBroken) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    SCOPED_TRACE(bytes);
    Serve({{whole.substr(0, bytes), /*close=*/true}});
    EXPECT_THAT(Get(), testing::StartsWith("broken: "));
    EXPECT_THAT(server_->requests(), SizeIs(1));
  }
}

TEST_F(HttpClient, WhatIsNoAnswerIsBroken) {
  const std::string large(kMostAnswerBytes + 1, 'a');
  const std::vector<std::string> answers = {
      "garbage\r\n\r\n",
      "HTTP/1.1 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
      "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\nX-Large: " + std::string(9'000, 'a') + "\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + large,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + large + "\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'a') + "\r\n",
  };
  for (const std::string& bytes : answers) {
    SCOPED_TRACE(bytes.substr(0, 80));
    Serve({{bytes}});
    EXPECT_THAT(Get(), testing::StartsWith("broken: "));
  }
}

TEST_F(HttpClient, AnAnswerWithoutALengthIsRefused) {
  Serve({{"HTTP/1.1 200 OK\r\n\r\nhello", /*close=*/true}});
  EXPECT_EQ(Get(), "broken: the answer does not say its length");
}

TEST_F(HttpClient, NobodyThereMeansNeverLeft) {
  std::string port;
  {
    const ScriptedServer gone(io_, {});
    port = gone.port();
  }
  client_.emplace(Options(port));
  EXPECT_EQ(Get(), "never left: connect to 127.0.0.1:" + port + ": Connection refused");
}

TEST_F(HttpClient, AfterTheDeadlineNothingLeaves) {
  Serve({{kHello}});
  EXPECT_THAT(Finish(Start(In(milliseconds(-1)))), HasSubstr("never left: the deadline had passed"));
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpClient, SilenceIsBrokenAtTheDeadlineAndNotBefore) {
  Serve({});
  const Deadline deadline = In(milliseconds(500));
  EXPECT_EQ(Finish(Start(deadline)), "broken: no answer by the deadline");
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
  EXPECT_THAT(server_->requests(), SizeIs(1));
}

TEST_F(HttpClient, EachDeadlineHoldsInWhicheverOrderTheyCome) {
  Serve({});
  const Deadline late = In(milliseconds(400));
  const Deadline early = In(milliseconds(200));
  const size_t waits_long = Start(late);
  const size_t waits_little = Start(early);
  EXPECT_EQ(Finish(waits_little), "broken: no answer by the deadline");
  EXPECT_GE(std::chrono::steady_clock::now(), early);
  EXPECT_EQ(Finish(waits_long), "broken: no answer by the deadline");
  EXPECT_GE(std::chrono::steady_clock::now(), late);
}

TEST_F(HttpClient, AConnectionWhoseAnswerDidNotComeIsNotUsedAgain) {
  Serve({});
  Finish(Start(In(milliseconds(500))));
  Finish(Start(In(milliseconds(500))));
  EXPECT_EQ(server_->connections(), 2);
}

TEST(Endpoint, IsTakenFromAUrl) {
  struct Row {
    std::string url;
    bool tls;
    std::string host, port, path, authority;
  };
  const std::vector<Row> rows = {
      {"http://10.1.2.3", false, "10.1.2.3", "80", "", "10.1.2.3"},
      {"https://gas.example/", true, "gas.example", "443", "", "gas.example"},
      {"https://gas.example:8443/a/b/", true, "gas.example", "8443", "/a/b", "gas.example:8443"},
      {"http://[::1]:8080/x", false, "::1", "8080", "/x", "[::1]:8080"},
      {"https://[fe80::1]", true, "fe80::1", "443", "", "[fe80::1]"},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Endpoint> endpoint = ParseUrl(row.url);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(endpoint->tls, row.tls);
    EXPECT_EQ(endpoint->host, row.host);
    EXPECT_EQ(endpoint->port, row.port);
    EXPECT_EQ(endpoint->path, row.path);
    EXPECT_EQ(endpoint->Authority(), row.authority);
  }
}

TEST(Endpoint, FaultsAreNamed) {
  for (const std::string url : {"",
                                "gas.example",
                                "ftp://gas.example",
                                "https://",
                                "https:///path",
                                "https://:443",
                                "https://u@gas.example",
                                "https://gas.example:",
                                "https://gas.example:0",
                                "https://gas.example:65536",
                                "https://gas.example:08",
                                "https://gas.example:4 3",
                                "https://gas example/",
                                "https://gas.example/a b",
                                "https://gas.example/?q",
                                "https://gas.example/#f",
                                "https://[::1",
                                "https://[gas]",
                                "https://[::1]x",
                                "https://gas.example/\r\nX: y"}) {
    const absl::StatusOr<Endpoint> endpoint = ParseUrl(url);
    ASSERT_FALSE(endpoint.ok()) << url;
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr("expected https://host[:port][/path]")) << url;
  }
}

}  // namespace
}  // namespace waystation::adapters::http
