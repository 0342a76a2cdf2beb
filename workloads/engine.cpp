#include "workloads/engine.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "workloads/decode_batch.hpp"
#include "workloads/kv_pool.hpp"

namespace rackwright::workloads {

namespace {

/// A request between admission and its last token.
struct Sequence {
  std::uint32_t outcome = 0;    ///< index of request and outcome
  std::uint32_t generated = 0;  ///< output tokens sampled so far before it joined the decode batch
  std::uint32_t target = 0;     ///< tokens this prefill pass must have in the cache at its end
  std::uint32_t done = 0;       ///< of these, computed or found in the cache
  std::uint32_t covered = 0;    ///< prompt tokens ever computed or found in the cache
  std::uint32_t shared = 0;     ///< prefix-cache blocks pinned
  bool decoding = false;
  std::uint64_t admitted = 0;  ///< rank in admission order
};

std::uint32_t positive_part(std::int64_t value) {
  return value > 0 ? static_cast<std::uint32_t>(value) : 0U;
}

class Engine {
 public:
  Engine(const RequestTrace& trace, const ServingPlan& plan, const EngineOptions& options)
      : trace_(trace),
        plan_(plan),
        options_(options),
        pool_(block_count(plan, options), plan.kv_block, trace.prefix_block),
        clip_(std::max(0, options.attention_clip)),
        batch_(clip_) {
    if (plan.speculative) {
      verify_ = plan.speculative->draft_tokens + 1;
      advance_ = expected_tokens(*plan.speculative);
    }
    limit_ = std::clamp<std::int64_t>(plan.prefill_chunk / verify_, 1, std::max(1, plan.max_batch));
    watermark_ = static_cast<std::int64_t>(options.watermark * static_cast<double>(pool_.blocks()));
    check_requests();
  }

  EngineResult run(const StepTime& step_time, const StepSink& sink,
                   const ProgressCallback& progress) {
    while (!result_.gave_up && (active() > 0 || wait_for_work())) {
      if ((result_.steps & 0xfffU) == 0 && progress) {
        progress("replay", static_cast<double>(next_), static_cast<double>(trace_.requests.size()));
      }
      StepShape shape;
      form(shape);
      if (result_.gave_up) break;
      const double duration = price(shape, step_time);
      if (sink) sink(now_, duration, shape);
      now_ += duration;
      result_.busy_s += duration;
      ++result_.steps;
      complete();
    }
    return finish();
  }

 private:
  static std::int64_t block_count(const ServingPlan& plan, const EngineOptions& options) {
    if (plan.kv_block < 1) throw std::invalid_argument("kv_block must be at least 1");
    if (!(options.kv_tokens < 9e15)) throw std::invalid_argument("kv_tokens out of range");
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(options.kv_tokens)) / plan.kv_block;
  }

  /// Every request must fit the cache of one attention rank alone, or it would wait for ever.
  void check_requests() const {
    const std::int64_t rank_tokens =
        pool_.blocks() / std::max(1, plan_.dp) * static_cast<std::int64_t>(plan_.kv_block);
    std::size_t too_long = 0;
    std::size_t worst = 0;
    for (std::size_t i = 0; i < trace_.requests.size(); ++i) {
      if (tokens_needed(trace_.requests[i]) <= rank_tokens) continue;
      if (too_long++ == 0 ||
          tokens_needed(trace_.requests[i]) > tokens_needed(trace_.requests[worst])) {
        worst = i;
      }
    }
    if (too_long == 0) return;
    const Request& request = trace_.requests[worst];
    throw InputError(InputProblem{
        trace_.source.empty() ? trace_.name : trace_.source, 0, "",
        fmt::format("requests that fit the KV cache of {} tokens (plan {})", rank_tokens,
                    plan_.label()),
        fmt::format("{} that do not; the longest, number {}, has {} prompt and {} output tokens",
                    too_long, worst + 1, request.prompt_tokens, request.output_tokens)});
  }

  /// KV tokens at the end: the last sampled token is never computed; a verify step may run over.
  std::int64_t tokens_needed(const Request& request) const {
    return static_cast<std::int64_t>(request.prompt_tokens) + request.output_tokens - 1 +
           (verify_ - 1);
  }

  std::size_t active() const { return running_.size(); }
  bool prefilling() const { return partial_ != kNone; }

  /// Nothing runs: jump to the next arrival. False when there is no more work.
  bool wait_for_work() {
    if (!preempted_.empty()) return true;
    if (next_ >= trace_.requests.size()) return false;
    now_ = std::max(now_, trace_.requests[next_].arrival_s);
    return !closed();
  }
  bool closed() const { return options_.stop_after_s > 0 && now_ > options_.stop_after_s; }

  void form(StepShape& shape) {
    step_prefills_.clear();
    const bool preempted = grow_decode();
    std::int64_t budget = plan_.prefill_chunk - batch_.size() * verify_;
    if (prefilling()) prefill(partial_, budget, shape);
    if (!preempted || active() == 0) admit(budget, shape);
    if (shape.prefill_tokens == 0 && batch_.size() == 0 && !result_.gave_up) {
      throw std::logic_error("engine: a step without work");
    }
    batch_.describe(shape);
    shape.decode_sequences *= static_cast<std::uint32_t>(verify_);
  }

  /// Blocks for the tokens this step appends; preempts the newest sequences until they fit.
  bool grow_decode() {
    credit_ += advance_;
    step_advance_ = static_cast<std::int64_t>(credit_);
    credit_ -= static_cast<double>(step_advance_);
    bool preempted = false;
    while (batch_.size() > 0 && !pool_.grow(batch_.clock(), step_advance_)) {
      preempt(running_.back());
      preempted = true;
    }
    return preempted;
  }

  void preempt(std::uint32_t id) {
    Sequence& sequence = sequences_[id];
    if (sequence.decoding) {
      free_decode_blocks(sequence, batch_.length(id));
      sequence.generated += static_cast<std::uint32_t>(batch_.remove(id));
    } else {
      pool_.release(private_tokens(sequence, sequence.target));
      partial_ = kNone;
    }
    unpin(sequence);
    running_.pop_back();
    preempted_.push_back(id);
    ++result_.requests[sequence.outcome].preemptions;
    ++result_.preemptions;
  }

  /// Admits in arrival order, preempted sequences first, while blocks, batch and chunk allow.
  void admit(std::int64_t& budget, StepShape& shape) {
    while (budget > 0 && !prefilling() && static_cast<std::int64_t>(active()) < limit_) {
      std::uint32_t id = kNone;
      if (!preempted_.empty()) {
        id = preempted_.back();
        if (!reserve(sequences_[id])) return;
        preempted_.pop_back();
      } else if (arrived()) {
        if (closed() || gave_up()) return;
        id = open_sequence();
        if (!reserve(sequences_[id])) {
          free_slots_.push_back(id);
          return;
        }
        open_outcome();
      } else {
        return;
      }
      sequences_[id].admitted = admissions_++;
      running_.push_back(id);
      prefill(id, budget, shape);
    }
    if (arrived()) static_cast<void>(gave_up());
  }

  bool arrived() const {
    return next_ < trace_.requests.size() && trace_.requests[next_].arrival_s <= now_;
  }
  bool gave_up() {
    if (options_.give_up_wait_s > 0 &&
        now_ - trace_.requests[next_].arrival_s > options_.give_up_wait_s) {
      result_.gave_up = true;
    }
    return result_.gave_up;
  }

  std::uint32_t open_sequence() {
    if (free_slots_.empty()) {
      free_slots_.push_back(static_cast<std::uint32_t>(sequences_.size()));
      sequences_.emplace_back();
    }
    const std::uint32_t id = free_slots_.back();
    free_slots_.pop_back();
    sequences_[id] = Sequence{};
    sequences_[id].outcome = static_cast<std::uint32_t>(next_);
    return id;
  }

  void open_outcome() {
    const Request& request = trace_.requests[next_++];
    RequestOutcome outcome;
    outcome.arrival_s = request.arrival_s;
    outcome.prompt_tokens = request.prompt_tokens;
    outcome.output_tokens = request.output_tokens;
    result_.requests.push_back(outcome);
  }

  /// Blocks for the whole prompt and the first new token; false when they are not free. While
  /// nothing was released since the last refusal the answer is the same.
  bool reserve(Sequence& sequence) {
    if (refused_at_ == pool_.releases() && active() > 0) return false;
    const Request& request = trace_.requests[sequence.outcome];
    sequence.target = request.prompt_tokens + sequence.generated;
    const std::span<const std::uint32_t> prefix = usable_prefix(request);
    sequence.shared = pool_.hits(prefix, sequence.target);
    const std::int64_t wanted =
        std::min<std::int64_t>(std::int64_t{sequence.target} + 1, tokens_needed(request));
    const std::int64_t headroom = active() > 0 ? watermark_ : 0;
    const auto fits = [&] {
      return pool_.reserve(prefix.first(sequence.shared), private_tokens(sequence, wanted),
                           private_tokens(sequence, sequence.target), headroom);
    };
    bool reserved = fits();
    if (!reserved && active() == 0 && sequence.shared > 0) {
      sequence.shared = 0;  // entries that round up to whole blocks can leave too little
      reserved = fits();
    }
    if (!reserved) refused_at_ = pool_.releases();
    sequence.shared = reserved ? sequence.shared : 0;
    sequence.done = sequence.shared * static_cast<std::uint32_t>(std::max(0, trace_.prefix_block));
    return reserved;
  }

  std::span<const std::uint32_t> usable_prefix(const Request& request) const {
    if (!plan_.prefix_cache || trace_.prefix_block <= 0) return {};
    const std::size_t full =
        request.prompt_tokens / static_cast<std::uint32_t>(trace_.prefix_block);
    return std::span(request.prefix_blocks).first(std::min(full, request.prefix_blocks.size()));
  }

  std::int64_t private_tokens(const Sequence& sequence, std::int64_t length) const {
    return length - static_cast<std::int64_t>(sequence.shared) * trace_.prefix_block;
  }

  /// Computes the next chunk of a prompt.
  void prefill(std::uint32_t id, std::int64_t& budget, StepShape& shape) {
    Sequence& sequence = sequences_[id];
    RequestOutcome& outcome = result_.requests[sequence.outcome];
    if (sequence.done > sequence.covered) {  // just admitted with a prefix hit
      const std::uint32_t prompt_done = std::min(sequence.done, outcome.prompt_tokens);
      outcome.cached_tokens += positive_part(std::int64_t{prompt_done} - sequence.covered);
      sequence.covered = std::max(sequence.covered, prompt_done);
    }
    const auto tokens =
        static_cast<std::uint32_t>(std::min<std::int64_t>(budget, sequence.target - sequence.done));
    const double from = sequence.done;
    const double to = from + tokens;
    sequence.done += tokens;
    budget -= tokens;
    const std::uint32_t first_time =
        positive_part(std::int64_t{std::min(sequence.done, outcome.prompt_tokens)} -
                      std::max<std::int64_t>(sequence.covered, sequence.done - tokens));
    sequence.covered = std::max(sequence.covered, std::min(sequence.done, outcome.prompt_tokens));
    result_.prefill_tokens += tokens;
    result_.recomputed_tokens += tokens - first_time;

    ++shape.prefill_sequences;
    shape.prefill_tokens += tokens;
    // Images stand at the start of the prompt and are encoded by the chunk that holds them.
    const std::uint32_t images = trace_.requests[sequence.outcome].image_tokens;
    shape.prefill_image_tokens +=
        std::min(sequence.done, images) - std::min(sequence.done - tokens, images);
    const double pairs = causal_pairs(to) - causal_pairs(from);
    shape.prefill_pairs += pairs;
    shape.prefill_pairs_clipped += clip_ == 0 ? pairs : clipped_pairs(to) - clipped_pairs(from);
    shape.prefill_context += to;
    const bool ends = sequence.done == sequence.target;
    if (ends) {
      ++shape.prefill_finished;
      step_prefills_.push_back(id);
    }
    partial_ = ends ? kNone : id;
  }

  /// Query-key pairs of the first n tokens of a causal prompt: n (n + 1) / 2.
  static double causal_pairs(double n) { return n * (n + 1) / 2; }
  /// The same when each query sees at most `clip` keys.
  double clipped_pairs(double n) const {
    const auto clip = static_cast<double>(clip_);
    return n <= clip ? causal_pairs(n) : causal_pairs(clip) + (n - clip) * clip;
  }

  /// Step time plus the draft's: `draft_tokens` small steps, each `draft_cost` of a decode step.
  double price(const StepShape& shape, const StepTime& step_time) const {
    double duration = step_time(shape);
    if (plan_.speculative && batch_.size() > 0 && plan_.speculative->draft_cost > 0) {
      StepShape decode = shape;
      decode.prefill_sequences = decode.prefill_tokens = decode.prefill_finished = 0;
      decode.prefill_image_tokens = 0;
      decode.prefill_pairs = decode.prefill_pairs_clipped = decode.prefill_context = 0;
      decode.decode_sequences = static_cast<std::uint32_t>(batch_.size());
      duration +=
          plan_.speculative->draft_tokens * plan_.speculative->draft_cost * step_time(decode);
    }
    if (!(duration >= 0) || !std::isfinite(duration)) {
      throw std::invalid_argument(fmt::format("step time must not be {}", duration));
    }
    return duration;
  }

  void complete() {
    if (batch_.size() > 0) {
      result_.output_tokens += static_cast<std::uint64_t>(batch_.size() * step_advance_);
      batch_.advance(step_advance_);
      while (const auto finished = batch_.take_finished()) {
        result_.output_tokens -= static_cast<std::uint64_t>(finished->excess);
        free_decode_blocks(sequences_[finished->member], finished->length);
        close(finished->member);
      }
    }
    for (const std::uint32_t id : step_prefills_) end_prefill(id);
  }

  /// The prompt is complete: its last position gives a token, and the sequence decodes from now on.
  void end_prefill(std::uint32_t id) {
    Sequence& sequence = sequences_[id];
    RequestOutcome& outcome = result_.requests[sequence.outcome];
    share_prefix(sequence);
    if (sequence.generated == 0) outcome.first_token_s = now_;
    ++sequence.generated;
    ++result_.output_tokens;
    if (sequence.generated == outcome.output_tokens) {
      pool_.release(private_tokens(sequence, sequence.target));
      close(id);
      return;
    }
    sequence.decoding = true;
    pool_.track(batch_.clock(), private_tokens(sequence, sequence.target));
    batch_.join(id, sequence.admitted, sequence.target, outcome.output_tokens - sequence.generated);
  }

  void share_prefix(Sequence& sequence) {
    const auto prefix = usable_prefix(trace_.requests[sequence.outcome]);
    if (prefix.size() <= sequence.shared) return;
    sequence.shared +=
        pool_.share(prefix.subspan(sequence.shared), private_tokens(sequence, sequence.target));
  }

  void free_decode_blocks(Sequence& sequence, std::int64_t length) {
    pool_.untrack(batch_.clock(), private_tokens(sequence, length));
    pool_.release(private_tokens(sequence, length));
    sequence.decoding = false;
  }

  void unpin(Sequence& sequence) {
    if (sequence.shared == 0) return;
    pool_.unpin(usable_prefix(trace_.requests[sequence.outcome]).first(sequence.shared));
    sequence.shared = 0;
  }

  void close(std::uint32_t id) {
    Sequence& sequence = sequences_[id];
    result_.requests[sequence.outcome].finish_s = now_;
    finished_.resize(result_.requests.size());
    finished_[sequence.outcome] = true;
    unpin(sequence);
    const auto place = std::lower_bound(
        running_.begin(), running_.end(), sequence.admitted,
        [this](std::uint32_t a, std::uint64_t rank) { return sequences_[a].admitted < rank; });
    running_.erase(place);
    free_slots_.push_back(id);
  }

  EngineResult finish() {
    result_.end_s = now_;
    finished_.resize(result_.requests.size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < result_.requests.size(); ++i) {
      if (finished_[i]) result_.requests[kept++] = result_.requests[i];
    }
    result_.requests.resize(kept);
    return std::move(result_);
  }

  static constexpr std::uint32_t kNone = 0xffffffffU;

  const RequestTrace& trace_;
  const ServingPlan& plan_;
  const EngineOptions& options_;
  KvPool pool_;
  std::int64_t clip_ = 0;
  DecodeBatch batch_;
  std::int64_t verify_ = 1;  ///< tokens per sequence in a decode step
  double advance_ = 1;       ///< tokens a sequence gains per decode step, on average
  double credit_ = 0;        ///< fraction carried to the next step
  std::int64_t step_advance_ = 0;
  std::int64_t limit_ = 1;
  std::int64_t watermark_ = 0;

  double now_ = 0;
  std::size_t next_ = 0;  ///< first request not admitted yet
  std::uint64_t admissions_ = 0;
  std::uint64_t refused_at_ = ~std::uint64_t{0};
  std::vector<Sequence> sequences_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> running_;    ///< in admission order
  std::vector<std::uint32_t> preempted_;  ///< oldest last
  std::uint32_t partial_ = kNone;         ///< prompt cut by the chunk budget; always the newest
  std::vector<std::uint32_t> step_prefills_;

  std::vector<bool> finished_;
  EngineResult result_;
};

}  // namespace

double expected_tokens(const SpeculativeDraft& draft) {
  const double a = draft.acceptance;
  const double g = draft.draft_tokens;
  if (!(a >= 0 && a <= 1) || !(g >= 0)) {
    throw std::invalid_argument("acceptance must be in 0..1 and draft_tokens at least 0");
  }
  return a == 1 ? g + 1 : (1 - std::pow(a, g + 1)) / (1 - a);
}

EngineResult run_engine(const RequestTrace& trace, const ServingPlan& plan,
                        const EngineOptions& options, const StepTime& step_time,
                        const StepSink& sink, const ProgressCallback& progress) {
  return Engine(trace, plan, options).run(step_time, sink, progress);
}

}  // namespace rackwright::workloads
