// Fortified longjmp takes a jump between stacks for an error.
#undef _FORTIFY_SOURCE

#include "kernels/own/fibre.hpp"

#include <csetjmp>
#include <cstdint>
#include <new>

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* A fibre is created by makecontext and switched by _setjmp/_longjmp, which need no system call.
   Under the address sanitizer every switch is a swapcontext that tells it of the new stack. */

namespace rackwright::kernels::own {
namespace {
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 512 * 1024;
#else
constexpr std::size_t kStackBytes = 64 * 1024;
#endif
}  // namespace

struct FibrePool::Main {
  ucontext_t context{};
  std::jmp_buf jump{};
  void* sanitizer_stack = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
};

struct FibrePool::Fibre {
  ucontext_t context{};
  std::jmp_buf jump{};
  void* sanitizer_stack = nullptr;
  unsigned char* mapping = nullptr;
  std::size_t guard = 0;
  FibrePool* pool = nullptr;
  int index = 0;
  bool started = false;

  Fibre() {
    guard = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* place = mmap(nullptr, kStackBytes + guard, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) throw std::bad_alloc();
    mapping = static_cast<unsigned char*>(place);
    mprotect(mapping, guard, PROT_NONE);
  }
  ~Fibre() { munmap(mapping, kStackBytes + guard); }
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;
};

FibrePool::FibrePool(std::function<void(int)> work)
    : work_(std::move(work)), main_(std::make_unique<Main>()) {}
FibrePool::~FibrePool() = default;

void FibrePool::reserve(int count) {
  while (static_cast<int>(fibres_.size()) < count) {
    fibres_.push_back(std::make_unique<Fibre>());
    fibres_.back()->pool = this;
    fibres_.back()->index = static_cast<int>(fibres_.size()) - 1;
  }
}

void FibrePool::abandon() {
  for (const auto& fibre : fibres_) fibre->started = false;
}

void FibrePool::enter(unsigned high, unsigned low) {
  const std::uintptr_t address = static_cast<std::uintptr_t>(high) << 32 | low;
  auto* fibre = reinterpret_cast<Fibre*>(address);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &fibre->pool->main_->stack,
                                  &fibre->pool->main_->stack_bytes);
#endif
  fibre->pool->loop(fibre->index);
}

void FibrePool::loop(int i) {
  for (;;) {
    work_(i);
    yield(i);
  }
}

void FibrePool::create(Fibre& fibre) {
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.mapping + fibre.guard;
  fibre.context.uc_stack.ss_size = kStackBytes;
  fibre.context.uc_link = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(fibre.mapping + fibre.guard, kStackBytes);
#endif
  const auto address = reinterpret_cast<std::uintptr_t>(&fibre);
  makecontext(&fibre.context, reinterpret_cast<void (*)()>(&FibrePool::enter), 2,
              static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
}

#if defined(__SANITIZE_ADDRESS__)

void FibrePool::resume(int i) {
  Fibre& fibre = *fibres_[static_cast<std::size_t>(i)];
  if (!fibre.started) create(fibre);
  fibre.started = true;
  __sanitizer_start_switch_fiber(&main_->sanitizer_stack, fibre.mapping + fibre.guard, kStackBytes);
  swapcontext(&main_->context, &fibre.context);
  __sanitizer_finish_switch_fiber(main_->sanitizer_stack, nullptr, nullptr);
}

void FibrePool::yield(int i) {
  Fibre& fibre = *fibres_[static_cast<std::size_t>(i)];
  __sanitizer_start_switch_fiber(&fibre.sanitizer_stack, main_->stack, main_->stack_bytes);
  swapcontext(&fibre.context, &main_->context);
  __sanitizer_finish_switch_fiber(fibre.sanitizer_stack, nullptr, nullptr);
}

#else

void FibrePool::resume(int i) {
  Fibre& fibre = *fibres_[static_cast<std::size_t>(i)];
  if (_setjmp(main_->jump) != 0) return;
  if (fibre.started) _longjmp(fibre.jump, 1);
  create(fibre);
  fibre.started = true;
  setcontext(&fibre.context);
}

void FibrePool::yield(int i) {
  Fibre& fibre = *fibres_[static_cast<std::size_t>(i)];
  if (_setjmp(fibre.jump) == 0) _longjmp(main_->jump, 1);
}

#endif

}  // namespace rackwright::kernels::own
