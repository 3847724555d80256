#pragma once
// Laps: how long steps take, each timed for a whole batch at once. Confined to one thread.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "benchmarks/stages/stages.hpp"

namespace annals::benchmarks {

class Laps {
 public:
  /// Times `step(i)` for each i of a batch; forgets it unless all succeeded.
  template <class Step>
  [[nodiscard]] Result<> each(const std::string& name, Step step, Stage::Kind kind = Stage::Kind::step) {
    const auto all = [&]() -> Result<> {
      for (std::size_t i = 0; i < stages_batch; ++i) TRY(step(i));
      return {};
    };
    return whole(name, all, kind);
  }
  /// Times `step()`, which does it for all of a batch.
  template <class Step>
  [[nodiscard]] Result<> whole(const std::string& name, Step step, Stage::Kind kind = Stage::Kind::step) {
    const auto begin = std::chrono::steady_clock::now();
    TRY(step());
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    laps_of(name, kind).push_back(took.count() / stages_batch);
    return {};
  }

  /// In the order in which they were first timed.
  [[nodiscard]] std::vector<Stage> stages() const {
    std::vector<Stage> stages;
    for (const Timed& timed : all_) {
      std::vector<double> sorted = timed.laps;
      std::ranges::sort(sorted);
      stages.push_back({timed.name, timed.kind, sorted[sorted.size() / 2], sorted.front()});
    }
    return stages;
  }

 private:
  struct Timed {
    std::string name;
    Stage::Kind kind;
    std::vector<double> laps;
  };

  std::vector<double>& laps_of(const std::string& name, Stage::Kind kind) {
    const auto found = std::ranges::find(all_, name, &Timed::name);
    if (found != all_.end()) return found->laps;
    return all_.emplace_back(name, kind, std::vector<double>{}).laps;
  }

  std::vector<Timed> all_;
};

}  // namespace annals::benchmarks
