#include "switch/ctl/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace waystation::ctl {
namespace {

// As every terminal of today takes them (ECMA-48, xterm).
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";
constexpr std::string_view kReverse = "\x1b[7m";
constexpr std::string_view kBoldRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";

constexpr char kInterrupt = 3;  // Ctrl-C
constexpr char kResize = 'w';
constexpr char kTerminate = 't';
constexpr std::array kEndSignals = {SIGINT, SIGTERM, SIGHUP};

// A handler of a signal writes here, so that whichever thread gets it the wait ends.
std::array<int, 2> told = {-1, -1};

void OnSignal(int signal) {
  const int error = errno;
  const char what = signal == SIGWINCH ? kResize : kTerminate;
  // A full pipe has told enough.
  [[maybe_unused]] const ssize_t written = write(told[1], &what, 1);
  errno = error;
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

std::string_view LookOf(TopLine::Look look) {
  switch (look) {
    case TopLine::Look::kTitle: return kReverse;
    case TopLine::Look::kTrouble: return kBoldRed;
    case TopLine::Look::kPlain: break;
  }
  return "";
}

}  // namespace

bool Terminal::IsThere() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

Terminal::Terminal() {
  // Without it signals are not told, and the next time that the clock calls for the screen comes all the same.
  if (pipe2(told.data(), O_CLOEXEC | O_NONBLOCK) != 0) told = {-1, -1};
  tcgetattr(STDIN_FILENO, &before_);
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys);
  for (const int signal : kEndSignals) Handle(signal, &OnSignal);
  Handle(SIGWINCH, &OnSignal);
  Put(kEnter);
}

Terminal::~Terminal() {
  Put(kLeave);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  for (const int signal : kEndSignals) Handle(signal, SIG_DFL);
  Handle(SIGWINCH, SIG_DFL);
  for (const int end : told) close(end);
}

void Terminal::Put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

Terminal::Size Terminal::size() const {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

void Terminal::Draw(const std::vector<TopLine>& lines) {
  // One write, so that no half of a screen is seen.
  std::string bytes(kHome);
  const size_t shown = std::min(lines.size(), size().rows);
  for (size_t i = 0; i < shown; ++i) {
    bytes.append(LookOf(lines[i].look)).append(lines[i].text).append(kPlain).append(kClearLine);
    // None after the last line: it would scroll.
    if (i + 1 < shown) bytes += "\r\n";
  }
  Put(bytes.append(kClearBelow));
}

Terminal::Happened Terminal::Wait(std::chrono::steady_clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return {Event::kTime, 0};
    std::array<pollfd, 2> files = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{told[0], POLLIN, 0}};
    if (poll(files.data(), files.size(), static_cast<int>(std::min<long>(left, 60'000))) <= 0) continue;
    char what = 0;
    if (files[1].revents != 0 && read(told[0], &what, 1) == 1) {
      return {what == kResize ? Event::kResized : Event::kEnd, 0};
    }
    if (files[0].revents == 0) continue;
    if (read(STDIN_FILENO, &what, 1) != 1 || what == kInterrupt) return {Event::kEnd, 0};
    return {Event::kKey, what};
  }
}

}  // namespace waystation::ctl
