#pragma once

#include <cstddef>
#include <utility>

#include "adapters/http/client.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/beast/core/error.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "fmt/format.h"

namespace waystation::adapters::http {

inline constexpr size_t kMostHeaderBytes = 8 * 1024;

// An answer and what comes with it: nothing is read beyond this.
inline size_t MostBufferBytes(size_t most_body_bytes) {
  return kMostHeaderBytes + most_body_bytes;
}

struct AnswerRead {
  Result result;  // Answer or Broken
  // The answer lets another request follow, and nothing came after it.
  bool keep_alive = false;
};

inline std::string ReadFault(const boost::system::error_code& error) {
  if (error == boost::beast::error::timeout) return "no answer by the deadline";
  if (error == boost::beast::http::error::end_of_stream) return "the host closed the connection before its answer";
  if (error == boost::beast::http::error::partial_message) return "the connection ended within the answer";
  if (error == boost::beast::http::error::body_limit) return "the answer's body is larger than the limit";
  if (error == boost::beast::http::error::header_limit || error == boost::beast::http::error::buffer_overflow) {
    return "the answer's header is larger than the limit";
  }
  return fmt::format("no answer: {}", error.message());
}

// Reads one answer to a request that was sent, by the stream's own deadline. `buffer` keeps what came beyond it, and
// its max_size is MostBufferBytes at most. Takes at most 32 times kMostHeaderBytes of memory, as a header may be
// thousands of fields of a byte or two, each kept by itself, and 4 times most_body_bytes.
template <typename Stream>
boost::asio::awaitable<AnswerRead> ReadAnswer(Stream& stream, boost::beast::flat_buffer& buffer,
                                              size_t most_body_bytes) {
  boost::beast::http::response_parser<boost::beast::http::string_body> parser;
  parser.header_limit(kMostHeaderBytes);
  parser.body_limit(most_body_bytes);
  boost::system::error_code error;
  co_await boost::beast::http::async_read(stream, buffer, parser,
                                          boost::asio::redirect_error(boost::asio::use_awaitable, error));
  if (error) co_return AnswerRead{Broken{ReadFault(error)}, false};
  // Its end can't be told from a cut connection.
  if (parser.need_eof()) co_return AnswerRead{Broken{"the answer does not say its length"}, false};
  // A status of 1xx is not the last word.
  const bool final_answer = parser.get().result_int() >= 200;
  const bool keep_alive = final_answer && parser.keep_alive() && buffer.size() == 0;
  co_return AnswerRead{parser.release(), keep_alive};
}

}  // namespace waystation::adapters::http
