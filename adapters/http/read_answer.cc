#include "adapters/http/read_answer.h"

#include <string>

#include "boost/asio/error.hpp"
#include "boost/beast/core/error.hpp"
#include "boost/beast/core/read_size.hpp"
#include "boost/beast/http/error.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/string_body.hpp"
#include "fmt/format.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

using Parser = beast::http::response_parser<beast::http::string_body>;

// An answer is mostly read at once.
constexpr size_t kLeastReadBytes = 2 * 1024;
constexpr size_t kMostReadBytes = 64 * 1024;

std::string ReadFault(const error_code& error) {
  if (error == beast::error::timeout) return "no answer by the deadline";
  if (error == beast::http::error::end_of_stream) return "the host closed the connection before its answer";
  if (error == beast::http::error::partial_message) return "the connection ended within the answer";
  if (error == beast::http::error::body_limit) return "the answer's body is larger than the limit";
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    return "the answer's header is larger than the limit";
  }
  return fmt::format("no answer: {}", error.message());
}

// The last chunk and the end of its trailer, "0\r\n\r\n". Beast takes it for granted that the parser is not called
// again with less of them (an assertion; https://github.com/boostorg/beast/pull/2861), and no chunked body ends before
// them.
constexpr size_t kLeastOfChunks = 5;

// The parser takes what it can of the buffer.
error_code Parse(Parser& parser, beast::flat_buffer& buffer) {
  error_code error;
  const auto least = [&parser] { return parser.is_header_done() && parser.chunked() ? kLeastOfChunks : 1; };
  while (!error && !parser.is_done() && buffer.size() >= least()) buffer.consume(parser.put(buffer.data(), error));
  return error == beast::http::error::need_more ? error_code() : error;
}

error_code ParseEnd(Parser& parser) {
  if (!parser.got_some()) return beast::http::error::end_of_stream;
  error_code error;
  parser.put_eof(error);
  return error;
}

}  // namespace

asio::awaitable<AnswerRead> ReadAnswer(ReadSome read_some, beast::flat_buffer& buffer, size_t most_body_bytes) {
  Parser parser;
  parser.header_limit(kMostHeaderBytes);
  parser.body_limit(most_body_bytes);
  parser.eager(true);  // the body with the header
  buffer.reserve(kLeastReadBytes);
  error_code error = Parse(parser, buffer);
  while (!error && !parser.is_done()) {
    const size_t size = beast::read_size(buffer, kMostReadBytes);
    if (size == 0) {
      error = beast::http::error::buffer_overflow;
      break;
    }
    buffer.commit(co_await read_some(buffer.prepare(size), error));
    if (!error) {
      error = Parse(parser, buffer);
    } else if (error == asio::error::eof) {
      error = ParseEnd(parser);
    }
  }
  if (error) co_return AnswerRead{Broken{ReadFault(error)}, false};
  // Its end can't be told from a cut connection.
  if (parser.need_eof()) co_return AnswerRead{Broken{"the answer does not say its length"}, false};
  // A status of 1xx is not the last word.
  const bool final_answer = parser.get().result_int() >= 200;
  const bool keep_alive = final_answer && parser.keep_alive() && buffer.size() == 0;
  co_return AnswerRead{parser.release(), keep_alive};
}

}  // namespace waystation::adapters::http
