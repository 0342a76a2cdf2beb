#pragma once

#include "kernels/own/device.hpp"

/* The thread of a kernel body on a GPU: one instruction or so per member. Every offset into shared
   memory is in elements of the shared array; the host's thread checks what this one trusts. */

namespace rackwright::kernels::own {

extern __shared__ __align__(16) unsigned char rackwright_shared[];

template <class T>
struct CudaShared {
  T* data;
  RW_DEVICE T get(int i) const { return data[i]; }
  RW_DEVICE void set(int i, T value) { data[i] = value; }
  RW_DEVICE Word16 get16(int i) const { return *reinterpret_cast<const Word16*>(data + i); }
  RW_DEVICE void set16(int i, Word16 value) { *reinterpret_cast<Word16*>(data + i) = value; }
  RW_DEVICE T atomic_add(int i, T value) { return atomicAdd(data + i, value); }
  RW_DEVICE unsigned address(int i) const {
    return static_cast<unsigned>(__cvta_generic_to_shared(data + i));
  }
};

struct CudaThread {
  RW_DEVICE int thread() const { return threadIdx.x; }
  RW_DEVICE int lane() const { return threadIdx.x % kWarp; }
  RW_DEVICE int warp() const { return threadIdx.x / kWarp; }
  RW_DEVICE int threads() const { return blockDim.x; }
  RW_DEVICE int block_x() const { return blockIdx.x; }
  RW_DEVICE int block_y() const { return blockIdx.y; }
  RW_DEVICE int block_z() const { return blockIdx.z; }
  RW_DEVICE int blocks_x() const { return gridDim.x; }

  RW_DEVICE void sync() { __syncthreads(); }
  RW_DEVICE void sync_warp() { __syncwarp(); }
  template <class T>
  RW_DEVICE T shuffle_xor(T value, int mask) {
    return __shfl_xor_sync(0xffffffffU, value, mask);
  }
  template <class T>
  RW_DEVICE T shuffle(T value, int lane) {
    return __shfl_sync(0xffffffffU, value, lane);
  }
  RW_DEVICE std::uint32_t ballot(bool value) { return __ballot_sync(0xffffffffU, value); }

  template <class T>
  RW_DEVICE CudaShared<T> shared(int byte_offset, int /*count*/) {
    return {reinterpret_cast<T*>(rackwright_shared + byte_offset)};
  }

  template <class T>
  RW_DEVICE T read(const View<T>& view, std::int64_t i) {
    return view.data[i];
  }
  template <class T>
  RW_DEVICE void write(const View<T>& view, std::int64_t i, T value) {
    view.data[i] = value;
  }
  /// What another processor may write meanwhile: read anew each time.
  template <class T>
  RW_DEVICE T read_volatile(const View<T>& view, std::int64_t i) {
    return *static_cast<const volatile T*>(view.data + i);
  }
  /// What another GPU may have written since the launch.
  template <class T>
  RW_DEVICE Word16 read16_volatile(const View<T>& view, std::int64_t i) {
    Word16 out;
    asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out.word[0]), "=r"(out.word[1]), "=r"(out.word[2]), "=r"(out.word[3])
                 : "l"(__cvta_generic_to_global(view.data + i))
                 : "memory");
    return out;
  }
  /// A flag for another GPU: what this thread saw or wrote before comes before it.
  RW_DEVICE void post(const View<std::uint32_t>& view, std::int64_t i, std::uint32_t value) {
    asm volatile(
        "st.release.sys.global.u32 [%0], %1;" ::"l"(__cvta_generic_to_global(view.data + i)),
        "r"(value)
        : "memory");
  }
  /// A flag of another GPU: what that wrote before is seen after.
  RW_DEVICE std::uint32_t look(const View<std::uint32_t>& view, std::int64_t i) {
    std::uint32_t value;
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];"
                 : "=r"(value)
                 : "l"(__cvta_generic_to_global(view.data + i))
                 : "memory");
    return value;
  }
  /// Through the read-only path: only for memory the kernel does not write.
  template <class T>
  RW_DEVICE Word16 read16(const View<T>& view, std::int64_t i) {
    const uint4 word = __ldg(reinterpret_cast<const uint4*>(view.data + i));
    return {{word.x, word.y, word.z, word.w}};
  }
  template <class T>
  RW_DEVICE void write16(const View<T>& view, std::int64_t i, Word16 value) {
    *reinterpret_cast<uint4*>(view.data + i) =
        make_uint4(value.word[0], value.word[1], value.word[2], value.word[3]);
  }
  RW_DEVICE std::uint64_t clock_ns() {
    std::uint64_t time;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(time));
    return time;
  }

  /// 16 bytes of global memory to shared memory without a register; zeros where not `valid`.
  template <class T, class U>
  RW_DEVICE void copy_async16(CudaShared<T> to, int i, const View<U>& from, std::int64_t j,
                              bool valid) {
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to.address(i)),
                 "l"(__cvta_generic_to_global(from.data + (valid ? j : 0))), "r"(bytes)
                 : "memory");
  }
  RW_DEVICE void commit_async() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  /// Waits until at most kPending of this thread's groups are on their way.
  template <int kPending>
  RW_DEVICE void wait_async() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
  }

  /// Four 8x8 matrices of 16-bit elements; lane l gives the row l % 8 of matrix l / 8 at `i`.
  RW_DEVICE void load_matrix(CudaShared<Bf16> from, int i, std::uint32_t (&out)[4]) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(from.address(i))
                 : "memory");
  }
  RW_DEVICE void load_matrix_transposed(CudaShared<Bf16> from, int i, std::uint32_t (&out)[4]) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(from.address(i))
                 : "memory");
  }
  /// c += A x B on 16x8x16, bf16 in, fp32 out; fragments as in the PTX ISA, mma.m16n8k16.
  RW_DEVICE void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                     std::uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
};

}  // namespace rackwright::kernels::own
