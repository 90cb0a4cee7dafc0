#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "adapters/http/client.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/system/error_code.hpp"

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

// Reads some bytes, one at least, into the buffer, and says how many; error::eof at the end.
using ReadSome = absl::FunctionRef<boost::asio::awaitable<size_t>(boost::asio::mutable_buffer into,
                                                                  boost::system::error_code& error)>;

// Reads one answer to a request that was sent, for as long as `read_some` does, which outlives the reading. `buffer`
// keeps what came beyond it, and its max_size is MostBufferBytes at most. Takes at most 32 times kMostHeaderBytes of
// memory, as a header may be thousands of fields of a byte or two, each kept by itself, and 4 times most_body_bytes.
boost::asio::awaitable<AnswerRead> ReadAnswer(ReadSome read_some, boost::beast::flat_buffer& buffer,
                                              size_t most_body_bytes);

}  // namespace waystation::adapters::http
