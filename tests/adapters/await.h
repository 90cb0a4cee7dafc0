#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "adapters/biller_adapter.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/io_context.hpp"

namespace waystation::adapters {

// Runs one operation to its end, on this thread, and what else there is on `io` until then. An exception that leaves
// the operation leaves here.
template <typename T>
T AwaitOn(boost::asio::io_context& io, boost::asio::awaitable<T> operation) {
  std::optional<T> result;
  boost::asio::co_spawn(io, std::move(operation), [&result](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result = std::move(value);
  });
  io.restart();
  while (!result && io.run_one() > 0) {
  }
  return std::move(result).value();
}

// The same on an io_context of its own: what the operation leaves behind, such as connections, ends with it.
template <typename T>
T Await(boost::asio::awaitable<T> operation) {
  boost::asio::io_context io;
  return AwaitOn(io, std::move(operation));
}

inline Deadline In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace waystation::adapters
