#include "adapters/sim/remote/relay.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "boost/asio/buffer.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/asio/write.hpp"

namespace waystation::adapters::sim {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// HTTP/2 (RFC 9113): a frame is its length in 3 bytes, type, flags, the number of its stream in 4 bytes, and what it
// carries. gRPC puts before each message a byte that says whether it is compressed, and its length in 4 bytes.
constexpr size_t kFrameHeader = 9;
constexpr char kData = 0;
constexpr uint8_t kEndStream = 0x1;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

std::string Bytes(uint32_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16), static_cast<char>(number >> 8),
          static_cast<char>(number)};
}

uint32_t StreamOf(const std::string& frame) {
  return Number(std::string_view(frame).substr(5, 4)) & 0x7fff'ffff;
}

bool EndsStream(const std::string& frame) {
  return frame[3] <= 1 && (static_cast<uint8_t>(frame[4]) & kEndStream) != 0;  // DATA and HEADERS alone have the flag
}

asio::awaitable<void> CopyUntilEnd(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  std::string chunk(16'384, '\0');
  error_code error;
  while (!error) {
    const size_t bytes =
        co_await from->async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    co_await asio::async_write(*to, asio::buffer(chunk, bytes), asio::redirect_error(asio::use_awaitable, error));
  }
  // Wakes the other direction.
  error_code ignored;
  from->close(ignored);
  to->close(ignored);
}

}  // namespace

struct Relay::Connection {
  struct Marked {
    std::string payload;  // of the DATA frame, with gRPC's five bytes
    Fault fault;
  };

  void Close() {
    error_code ignored;
    client->shutdown(tcp::socket::shutdown_both, ignored);
    client->close(ignored);
    server->close(ignored);
  }

  std::shared_ptr<tcp::socket> client;
  std::shared_ptr<tcp::socket> server;
  std::deque<Marked> marked;
  std::map<uint32_t, Fault> harmed;  // by stream, until it ends
};

Relay::Relay(asio::io_context* io, std::string listen, std::mt19937_64* random)
    : random_(random), listener_(io, std::move(listen), [this](std::shared_ptr<tcp::socket> socket) {
        return Serve(std::move(socket));
      }) {}

void Relay::Harm(uint16_t connection, std::string_view message, const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kCutMiddle:
    case FaultKind::kCutAfter:
    case FaultKind::kDouble:
    case FaultKind::kWrongReference:
    case FaultKind::kGarbage:
    case FaultKind::kDrip: break;
    default: return;
  }
  const std::shared_ptr<Connection> found = connections_[connection].lock();
  if (found == nullptr) return;
  std::string payload(1, '\0');
  payload.append(Bytes(static_cast<uint32_t>(message.size()))).append(message);
  found->marked.push_back({std::move(payload), fault});
}

void Relay::Cut(uint16_t connection) {
  if (const std::shared_ptr<Connection> found = connections_[connection].lock()) found->Close();
}

asio::awaitable<void> Relay::Serve(std::shared_ptr<tcp::socket> client) {
  const auto connection = std::make_shared<Connection>();
  connection->client = client;
  connection->server = std::make_shared<tcp::socket>(client->get_executor());
  error_code error;
  co_await connection->server->async_connect(server_, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;
  connection->server->set_option(tcp::no_delay(true), error);
  const uint16_t port = connection->server->local_endpoint(error).port();
  std::erase_if(connections_, [](const auto& known) { return known.second.expired(); });
  connections_[port] = connection;
  asio::co_spawn(client->get_executor(), CopyUntilEnd(client, connection->server), asio::detached);
  co_await PassOnAnswers(connection);
  connection->Close();
}

asio::awaitable<void> Relay::PassOnAnswers(std::shared_ptr<Connection> connection) {
  error_code error;
  for (;;) {
    std::string frame(kFrameHeader, '\0');
    co_await asio::async_read(*connection->server, asio::buffer(frame),
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const size_t carries = Number(std::string_view(frame).substr(0, 3));
    frame.resize(kFrameHeader + carries);
    co_await asio::async_read(*connection->server, asio::buffer(frame.data() + kFrameHeader, carries),
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    if (!co_await PassOn(connection, std::move(frame))) co_return;
  }
}

asio::awaitable<bool> Relay::PassOn(std::shared_ptr<Connection> connection, std::string frame) {
  const uint32_t stream = StreamOf(frame);
  const bool is_data = frame[3] == kData;
  if (is_data) {
    const std::string_view payload = std::string_view(frame).substr(kFrameHeader);
    const auto marked = std::find_if(connection->marked.begin(), connection->marked.end(),
                                     [&](const Connection::Marked& one) { return one.payload == payload; });
    if (marked != connection->marked.end()) {
      connection->harmed[stream] = marked->fault;
      connection->marked.erase(marked);
    }
  }
  Fault fault;
  if (const auto harmed = connection->harmed.find(stream); harmed != connection->harmed.end()) fault = harmed->second;
  const bool last = EndsStream(frame);
  if (last) connection->harmed.erase(stream);

  bool goes_on = true;
  switch (fault.kind) {
    case FaultKind::kCutMiddle:
      frame.resize(frame.size() / 2);
      goes_on = false;
      break;
    case FaultKind::kCutAfter: goes_on = !last; break;
    case FaultKind::kDouble:
      if (is_data) frame += frame;
      break;
    // Odd still, as a client counts them, and so high that it opens none of that number.
    case FaultKind::kWrongReference: frame.replace(5, 4, Bytes(stream + 0x1000'0000)); break;
    case FaultKind::kGarbage:
      for (size_t i = kFrameHeader; is_data && i < frame.size(); ++i) frame[i] = static_cast<char>((*random_)());
      break;
    default: break;
  }
  error_code error;
  if (fault.kind != FaultKind::kDrip) {
    co_await asio::async_write(*connection->client, asio::buffer(frame),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return goes_on && !error;
  }
  asio::steady_timer timer(connection->client->get_executor());
  for (size_t i = 0; i < frame.size() && !error; ++i) {
    if (i > 0 || !is_data) {
      timer.expires_after(fault.delay);
      error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await asio::async_write(*connection->client, asio::buffer(frame.data() + i, 1),
                               asio::redirect_error(asio::use_awaitable, error));
  }
  co_return !error;
}

}  // namespace waystation::adapters::sim
