#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sanitizer/allocator_interface.h"
#include "switch/core/check.h"

namespace waystation {

// How much was on the heap at once, beyond what was there when it began, as the address sanitizer's allocator counts
// it. One at a time; one thread.
class HeapPeak {
 public:
  HeapPeak() {
    static const bool installed = __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree) != 0;
    WS_CHECK(installed, "the sanitizer tells of allocations");
    held = 0;
    peak = 0;
    counting = true;
  }
  HeapPeak(const HeapPeak&) = delete;
  HeapPeak& operator=(const HeapPeak&) = delete;
  ~HeapPeak() { counting = false; }

  size_t bytes() const { return static_cast<size_t>(peak); }

 private:
  static void OnMalloc(const volatile void* /*memory*/, size_t size) {
    if (!counting) return;
    held += static_cast<int64_t>(size);
    peak = std::max(peak, held);
  }
  static void OnFree(const volatile void* memory) {
    if (counting) held -= static_cast<int64_t>(__sanitizer_get_allocated_size(memory));
  }

  static inline bool counting = false;
  static inline int64_t held = 0;
  static inline int64_t peak = 0;
};

}  // namespace waystation
