#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "adapters/sim/simulator.h"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "switch/core/check.h"
#include "switch/core/clock.h"

namespace waystation::adapters {

// billersim on a thread of its own, listening on free ports of loopback. Its functions may be called from the test's
// thread.
class RunningSimulator {
 public:
  explicit RunningSimulator(const sim::SimulatorConfig& config) : simulator_(MustMake(config)) {
    const absl::Status opened = simulator_->Open();
    WS_CHECK(opened.ok(), std::string(opened.message()));
    thread_ = std::jthread([this] { simulator_->io().run(); });
  }
  ~RunningSimulator() { simulator_->io().stop(); }

  std::string AddressOf(const std::string& host) { return simulator_->AddressOf(host).value(); }

  // A command's answer without its "ok"; any other answer ends the test.
  std::string Do(const std::string& command) {
    std::promise<std::string> answer;
    boost::asio::post(simulator_->io(), [&] { answer.set_value(simulator_->Execute(command)); });
    const std::string text = answer.get_future().get();
    WS_CHECK(text.starts_with("ok"), command + ": " + text);
    return text == "ok" ? "" : text.substr(3);
  }

  std::string Statement(const std::string& host, core::BusinessDate date) {
    std::promise<std::string> answer;
    boost::asio::post(simulator_->io(), [&] { answer.set_value(simulator_->Statement(host, date).value()); });
    return answer.get_future().get();
  }

 private:
  std::unique_ptr<sim::Simulator> MustMake(const sim::SimulatorConfig& config) {
    auto made = sim::Simulator::Make(config, &clock_, sim::BooksUse::kKeep);
    WS_CHECK(made.ok(), std::string(made.status().message()));
    return *std::move(made);
  }

  const core::SystemClock clock_;
  const std::unique_ptr<sim::Simulator> simulator_;
  std::jthread thread_;
};

}  // namespace waystation::adapters
