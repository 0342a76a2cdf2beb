#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/json_document.hpp"
#include "common/random.hpp"
#include "workloads/arrivals.hpp"
#include "workloads/request_readers.hpp"

namespace rackwright::workloads {

namespace {

/// A distribution of token counts; sampled by inversion.
struct Histogram {
  std::vector<double> values;
  std::vector<double> cumulative;

  [[nodiscard]] bool empty() const { return values.empty(); }
  double sample(RandomSource& random) const {
    const double u = random.uniform() * cumulative.back();
    const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), u);
    return values[std::min<std::size_t>(static_cast<std::size_t>(at - cumulative.begin()),
                                        values.size() - 1)];
  }
};

/// Histograms of one window of a client's data set.
struct LengthWindow {
  Histogram prompt;  ///< input_tokens, or text_tokens of multimodal clients
  Histogram output;
  /// Tokens of one image, audio or video and how many of them a request has.
  std::vector<std::pair<Histogram, Histogram>> media;
  [[nodiscard]] bool usable() const { return !prompt.empty() && !output.empty(); }
};

/// Reads the text of a Python dict of numbers, `{4: 0.05, 6: 0.3}`; false when it is none.
bool parse_histogram(std::string_view text, Histogram& histogram) {
  const auto skip = [&](std::string_view characters) {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  };
  const auto number = [&](double& value) {
    skip(" ,");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || !std::isfinite(value) || value < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  if (!text.starts_with('{') || !text.ends_with('}')) return false;
  text = text.substr(1, text.size() - 2);
  double sum = 0;
  for (skip(" "); !text.empty(); skip(" ")) {
    double value = 0;
    double share = 0;
    if (!number(value)) return false;
    skip(" ");
    if (!text.starts_with(':')) return false;
    text.remove_prefix(1);
    if (!number(share)) return false;
    if (share <= 0) continue;
    histogram.values.push_back(value);
    histogram.cumulative.push_back(sum += share);
  }
  return true;
}

Histogram read_histogram(ObjectReader& window, std::string_view key) {
  Histogram histogram;
  if (window.has(key) && !parse_histogram(window.text(key), histogram)) {
    window.problem(key, "a histogram like {12: 0.5, 13: 0.5}", "other text");
  }
  return histogram;
}

std::map<double, LengthWindow> read_lengths(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader root(document, problems);
  std::map<double, LengthWindow> windows;
  for (const std::string& key : root.keys()) {
    double start = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), start);
    if (error != std::errc() || end != key.data() + key.size()) {
      root.problem(key, "the start of a window in seconds", fmt::format("\"{}\"", key));
      continue;
    }
    ObjectReader reader = root.object(key);
    LengthWindow& window = windows[start];
    window.prompt =
        read_histogram(reader, reader.has("text_tokens") ? "text_tokens" : "input_tokens");
    window.output = read_histogram(reader, "output_tokens");
    for (const char* kind : {"image", "audio", "video"}) {
      Histogram tokens = read_histogram(reader, fmt::format("{}_tokens", kind));
      Histogram count = read_histogram(reader, fmt::format("{}_count", kind));
      if (!tokens.empty() && !count.empty()) window.media.emplace_back(tokens, count);
    }
  }
  problems.throw_if_any();
  std::erase_if(windows, [](const auto& window) { return !window.second.usable(); });
  if (windows.empty()) {
    throw InputError(InputProblem{path.string(), 0, "",
                                  "windows with input_tokens or text_tokens, and output_tokens",
                                  "none with a histogram"});
  }
  return windows;
}

std::filesystem::path dataset_beside(const std::filesystem::path& path) {
  constexpr std::string_view kEnding = "-trace.csv";
  std::string name = path.filename().string();
  if (!name.ends_with(kEnding)) {
    throw InputError(InputProblem{path.string(), 0, "", "a ServeGen file named ...-trace.csv",
                                  fmt::format("\"{}\"", name)});
  }
  name.replace(name.size() - kEnding.size(), kEnding.size(), "-dataset.json");
  return path.parent_path() / name;
}

std::vector<ArrivalWindow> read_windows(const std::filesystem::path& path) {
  CsvReader csv(path, {.header = {"start_s", "rate", "cv", "distribution", "shape", "scale"}});
  std::vector<ArrivalWindow> windows;
  while (csv.next()) {
    ArrivalWindow window;
    window.start_s = csv.number("start_s", 0);
    window.rate_per_s = csv.number("rate", 0);
    const std::string& distribution = csv.cell("distribution");
    if (window.rate_per_s > 0) {
      if (distribution == "Weibull") {
        window.weibull_shape = csv.number("shape", 1e-3);
      } else if (distribution == "Gamma" || distribution == "Exponential" || distribution.empty()) {
        window.cv = csv.number("cv", 0);
      } else {
        throw csv.error("distribution", "Gamma, Weibull or Exponential");
      }
    }
    if (!windows.empty() && window.start_s <= windows.back().start_s) {
      throw csv.error("start_s", "windows in order of time");
    }
    windows.push_back(window);
  }
  if (windows.empty()) {
    throw InputError(InputProblem{path.string(), 0, "", "at least one window", "none"});
  }
  return windows;
}

Request sample_request(const LengthWindow& window, double arrival_s, RandomSource& random) {
  Request request;
  request.arrival_s = arrival_s;
  double image_tokens = 0;
  for (const auto& [tokens, count] : window.media) {
    const auto items = static_cast<int>(std::min(count.sample(random), 10000.0));
    for (int i = 0; i < items; ++i) image_tokens += tokens.sample(random);
  }
  const double prompt = std::max(1.0, window.prompt.sample(random) + image_tokens);
  request.prompt_tokens = static_cast<std::uint32_t>(std::min(prompt, 1e8));
  request.image_tokens = static_cast<std::uint32_t>(std::min(image_tokens, prompt));
  request.output_tokens =
      static_cast<std::uint32_t>(std::clamp(window.output.sample(random), 1.0, 1e8));
  return request;
}

}  // namespace

RequestTrace read_servegen_requests(const std::filesystem::path& path, std::uint64_t seed) {
  const std::vector<ArrivalWindow> windows = read_windows(path);
  const std::map<double, LengthWindow> lengths = read_lengths(dataset_beside(path));
  // The last window is as long as the one before it.
  const double step =
      windows.size() > 1 ? windows.back().start_s - windows[windows.size() - 2].start_s : 600.0;
  const RandomSource random(seed);
  RandomSource arrivals = random.stream("arrivals");
  RandomSource tokens = random.stream("lengths");
  RequestTrace trace;
  sample_arrivals(windows, windows.back().start_s + step, arrivals, [&](double arrival_s) {
    if (trace.requests.size() >= kMaxRequests) {
      throw InputError(InputProblem{path.string(), 0, "",
                                    fmt::format("at most {} requests", kMaxRequests), "more"});
    }
    auto window = lengths.upper_bound(arrival_s);
    if (window != lengths.begin()) --window;
    trace.requests.push_back(sample_request(window->second, arrival_s, tokens));
  });
  if (trace.requests.empty()) {
    throw InputError(
        InputProblem{path.string(), 0, "rate", "a window with a rate above 0", "none"});
  }
  return trace;
}

}  // namespace rackwright::workloads
