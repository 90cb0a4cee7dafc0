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

// Runs one operation to its end, on this thread. An exception that leaves the operation leaves here.
template <typename T>
T Await(boost::asio::awaitable<T> operation) {
  boost::asio::io_context io;
  std::optional<T> result;
  boost::asio::co_spawn(io, std::move(operation), [&result](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result = std::move(value);
  });
  io.run();
  return std::move(result).value();
}

inline Deadline In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace waystation::adapters
