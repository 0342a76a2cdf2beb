#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace rackwright::kernels::own {

/// Fibres on pooled stacks with guard pages. A fibre runs its work again and again, a run each time
/// it is resumed after an end; one thread of the operating system uses a pool at a time.
class FibrePool {
 public:
  /// `work(i)` is what fibre i runs.
  explicit FibrePool(std::function<void(int)> work);
  ~FibrePool();
  FibrePool(const FibrePool&) = delete;
  FibrePool& operator=(const FibrePool&) = delete;

  void reserve(int count);
  /// Continues fibre i until it yields or its work ends.
  void resume(int i);
  /// From inside fibre i: back to the caller of resume.
  void yield(int i);
  /// Forgets what the fibres were doing: their next resume begins the work anew. Nothing on their
  /// stacks is destroyed.
  void abandon();

 private:
  struct Fibre;
  static void enter(unsigned high, unsigned low);
  void loop(int i);
  static void create(Fibre& fibre);

  struct Main;
  std::function<void(int)> work_;
  std::unique_ptr<Main> main_;
  std::vector<std::unique_ptr<Fibre>> fibres_;
};

}  // namespace rackwright::kernels::own
