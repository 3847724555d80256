#include "benchmarks/load_generator/report.hpp"

#include <cstdio>

namespace annals::benchmarks {
namespace {

std::string with_decimals(double number, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

std::string microseconds(double nanoseconds) {
  return with_decimals(nanoseconds / 1000, 1);
}

std::string latency(const Histogram& histogram) {
  std::string out = "{\"count\":" + std::to_string(histogram.count());
  const std::pair<const char*, double> quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
  for (const auto& [name, share] : quantiles) {
    out += std::string(",\"") + name + "\":" + microseconds(static_cast<double>(histogram.quantile(share)));
  }
  return out + ",\"max\":" + microseconds(static_cast<double>(histogram.max())) +
         ",\"mean\":" + microseconds(histogram.mean()) + "}";
}

}  // namespace

std::string report(const Options& options, const Counts& counts, const std::optional<Verification>& verification,
                   const Run& run) {
  Histogram all = counts.puts;
  all.add(counts.gets);

  std::string out = "{\"get_percent\":" + std::to_string(options.get_percent);
  out += ",\"connections\":" + std::to_string(options.connections);
  out += ",\"threads\":" + std::to_string(options.threads);
  out += ",\"keys\":" + std::to_string(options.keys);
  out += std::string(",\"key_order\":\"") + (options.keys_in_order ? "sequential" : "random") + "\"";
  out += ",\"value_bytes\":" + std::to_string(options.value_bytes);
  out += ",\"seconds\":" + with_decimals(run.seconds, 3);
  out += ",\"replies\":" + std::to_string(all.count());
  out += ",\"per_second\":" + with_decimals(static_cast<double>(all.count()) / run.seconds, 1);
  out += ",\"acknowledged\":" + std::to_string(run.acknowledged);
  out += ",\"errors\":" + std::to_string(counts.error_count());
  out += ",\"errors_by_cause\":{";
  for (const char* separator = ""; const auto& [cause, count] : counts.errors) {
    out += separator + ("\"" + cause + "\":") + std::to_string(count);
    separator = ",";
  }
  out += "},\"latency_us\":" + latency(all);
  if (counts.puts.count() > 0) out += ",\"put_latency_us\":" + latency(counts.puts);
  if (counts.gets.count() > 0) out += ",\"get_latency_us\":" + latency(counts.gets);
  if (verification) {
    out += ",\"verified\":" + std::to_string(verification->checked);
    out += ",\"verified_wrong\":" + std::to_string(verification->wrong);
  }
  if (run.cpu.server_seconds) out += ",\"server_cpu_seconds\":" + with_decimals(*run.cpu.server_seconds, 3);
  return out + ",\"generator_cpu_seconds\":" + with_decimals(run.cpu.generator_seconds, 3) + "}";
}

}  // namespace annals::benchmarks
