// The client over TLS, against OpenSSL as asio drives it.

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/http/client.h"
#include "adapters/http/tls.h"
#include "adapters/sim/certificates.h"
#include "adapters/sim/http_front.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/string_body.hpp"
#include "gtest/gtest.h"
#include "openssl/ssl.h"
#include "tests/adapters/await.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kPlenty{20'000};
constexpr size_t kMostBytes = 512 * 1024;

// What the host does once it has a request.
enum class Then { kEcho, kSayItIsDone, kClose, kSaySomeAndClose, kNothing };

class HttpTls : public testing::Test {
 protected:
  void Serve(std::vector<Then> steps) {
    asio::co_spawn(io_, ServeOne(std::move(steps)), [](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  asio::awaitable<void> ServeOne(std::vector<Then> steps) {
    asio::ssl::stream<tcp::socket> stream(co_await acceptor_.async_accept(asio::use_awaitable), *host_tls_);
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    boost::beast::flat_buffer buffer;
    for (const Then then : steps) {
      boost::beast::http::request_parser<boost::beast::http::string_body> parser;
      parser.body_limit(kMostBytes);
      co_await boost::beast::http::async_read(stream, buffer, parser, asio::use_awaitable);
      const std::string answer = sim::HttpBytes(200, {}, parser.get().body());
      boost::system::error_code error;
      if (then == Then::kEcho) co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
      if (then == Then::kSaySomeAndClose) {
        co_await asio::async_write(stream, asio::buffer(answer.data(), answer.size() - 1), asio::use_awaitable);
      }
      if (then == Then::kSayItIsDone) co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
      if (then == Then::kNothing) {
        char byte = 0;
        co_await stream.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, error));
      }
    }
  }

  std::string Post(const std::string& body, Deadline deadline) {
    const auto belongs = [](const Answer&) { return true; };
    Request request{.method = "POST", .target = "", .fields = {}, .body = body};
    const Result result = AwaitOn(io_, client_.Send(std::move(request), deadline, belongs));
    if (const auto* answer = std::get_if<Answer>(&result)) return answer->body();
    if (const auto* never_left = std::get_if<NeverLeft>(&result)) return "never left: " + never_left->cause;
    return "broken: " + std::get<Broken>(result).cause;
  }
  std::string Post(const std::string& body) { return Post(body, In(kPlenty)); }

  storage::TemporaryFolder folder_;
  const sim::CertificateAuthority authority_{folder_.path(), "authority"};
  const sim::CertificateFiles files_ = authority_.Issue("host", "IP:127.0.0.1", -1, 1);
  const std::shared_ptr<asio::ssl::context> host_tls_ = *sim::ServerTls(files_.certificate, files_.private_key);
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  Client client_{{.endpoint = {.tls = true,
                               .host = "127.0.0.1",
                               .port = std::to_string(acceptor_.local_endpoint().port()),
                               .path = ""},
                  .tls = *ClientTls(authority_.file()),
                  .most_idle = 1,
                  .idle_limit = kPlenty,
                  .most_answer_bytes = kMostBytes}};
};

// Over one connection: from less than a record of TLS to many.
TEST_F(HttpTls, RequestsAndAnswersOfAnySize) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    SSL_CTX_set_max_proto_version(host_tls_->native_handle(), version);
    const std::vector<size_t> sizes = {1, 2'048, 16'384, 300'000, 1};
    std::vector<Then> steps(sizes.size(), Then::kEcho);
    // The next version's connection is a new one.
    steps.push_back(Then::kClose);
    Serve(steps);
    for (const size_t size : sizes) {
      const std::string body(size, 'x');
      EXPECT_TRUE(Post(body) == body) << size;
    }
    EXPECT_EQ(Post("last"), "broken: no answer: stream truncated");
  }
}

TEST_F(HttpTls, ItsEndIsToldFromACut) {
  const std::vector<std::pair<Then, std::string>> rows = {
      {Then::kSayItIsDone, "broken: the host closed the connection before its answer"},
      {Then::kClose, "broken: no answer: stream truncated"},
      {Then::kSaySomeAndClose, "broken: no answer: stream truncated"},
  };
  for (const auto& [then, expected] : rows) {
    Serve({then});
    EXPECT_EQ(Post("body"), expected);
  }
}

TEST_F(HttpTls, ItsDeadlineHolds) {
  Serve({Then::kEcho, Then::kNothing});
  EXPECT_EQ(Post("body"), "body");
  EXPECT_EQ(Post("body", In(std::chrono::milliseconds(300))), "broken: no answer by the deadline");
}

// The handshake's first message is taken by the system, and nobody answers it.
TEST_F(HttpTls, NothingLeavesBeforeTheHandshakeIsDone) {
  const std::string cause = Post("body", In(std::chrono::milliseconds(100)));
  EXPECT_EQ(cause, "never left: TLS with 127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) +
                       ": no answer by the deadline");
}

// Nobody takes the connections from the system, so none of them gets beyond its handshake.
TEST_F(HttpTls, NoMoreAreBeingOpenedThanMayBe) {
  constexpr size_t kRequests = kMostOpening + 3;
  const Deadline deadline = In(std::chrono::milliseconds(500));
  size_t ended = 0;
  size_t waited = 0;
  const auto request = [&]() -> asio::awaitable<void> {
    const auto belongs = [](const Answer&) { return true; };
    Request get{.method = "GET", .target = "", .fields = {}, .body = ""};
    const Result result = co_await client_.Send(std::move(get), deadline, belongs);
    ++ended;
    waited += std::get<NeverLeft>(result).cause == "256 connections were being opened already, until the deadline";
  };
  for (size_t i = 0; i < kRequests; ++i) {
    asio::co_spawn(io_, request, [](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  while (ended < kRequests) io_.run_one();
  EXPECT_EQ(waited, kRequests - kMostOpening);
}

}  // namespace
}  // namespace waystation::adapters::http
