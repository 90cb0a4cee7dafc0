// Any bytes where a host's HTTP answer should be, in pieces of any size: broken, or an answer that keeps to its bounds.
// The first byte is the size of the pieces.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/http/read_answer.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/beast/_experimental/test/stream.hpp"
#include "switch/core/check.h"
#include "tests/fuzz/heap_peak.h"

namespace waystation::adapters::http {
namespace {

constexpr size_t kMostBodyBytes = 1'024;
constexpr size_t kMostHeapBytes = 32 * kMostHeaderBytes + 4 * kMostBodyBytes;

void Read(std::string_view bytes, size_t piece) {
  boost::asio::io_context io;
  boost::beast::test::stream stream(io);
  stream.append(boost::beast::string_view(bytes.data(), bytes.size()));
  stream.read_size(piece);
  boost::beast::test::stream host(io);
  stream.connect(host);
  host.close();
  boost::beast::flat_buffer buffer(MostBufferBytes(kMostBodyBytes));
  const auto read_some = [&stream](boost::asio::mutable_buffer into, boost::system::error_code& error) {
    return stream.async_read_some(into, boost::asio::redirect_error(boost::asio::use_awaitable, error));
  };
  std::optional<AnswerRead> read;
  const HeapPeak heap;
  boost::asio::co_spawn(io, ReadAnswer(read_some, buffer, kMostBodyBytes),
                        [&read](std::exception_ptr thrown, AnswerRead result) {
                          WS_CHECK(thrown == nullptr, "nothing is thrown");
                          read = std::move(result);
                        });
  io.run();
  WS_CHECK(read.has_value(), "it comes to an end");
  WS_CHECK(buffer.size() <= MostBufferBytes(kMostBodyBytes), "no more is read than is bounded");
  WS_CHECK(heap.bytes() <= kMostHeapBytes, "no more memory is taken than is bounded");
  const auto* answer = std::get_if<Answer>(&read->result);
  WS_CHECK(answer != nullptr || !read->keep_alive, "a connection without an answer is not kept");
  if (answer == nullptr) return;
  WS_CHECK(answer->body().size() <= kMostBodyBytes, "a body keeps to its bound");
  WS_CHECK(!read->keep_alive || (buffer.size() == 0 && answer->result_int() >= 200), "what is kept is in step");
}

// What takes the most memory: as large as may be, all of it fields. Such inputs among the kept ones would make all
// others as large, and the search eight times slower.
bool ReadTheLargest() {
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n";
  const std::string field = "a:\r\n";
  while (answer.size() + field.size() + 2 <= kMostHeaderBytes) answer += field;
  Read(answer + "\r\n" + std::string(kMostBodyBytes, 'x'), 64);
  return true;
}

}  // namespace
}  // namespace waystation::adapters::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  [[maybe_unused]] static const bool largest_was_read = waystation::adapters::http::ReadTheLargest();
  if (size == 0) return 0;
  const size_t piece = data[0] == 0 ? 1 : data[0];
  waystation::adapters::http::Read(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1), piece);
  return 0;
}
