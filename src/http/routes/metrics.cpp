// GET /metrics: what the server counts, in Prometheus' text format. Names follow its conventions (base units, `_total`
// for counters), and once published they stay; docs/operate/metrics.md says what to watch.

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>

#include "http/routes/call.hpp"
#include "http/routes/catalogue.hpp"
#include "http/routes/query_parameters.hpp"
#include "platform/process.hpp"

namespace annals::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double microseconds_a_second = 1e6;

class MetricsPage {
 public:
  void family(const char* name, const char* help, MetricType type) { families_.push_back({name, help, type, {}}); }

  /// A sample of the family begun last.
  void add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void add(std::uint64_t value, Labels labels = {}) { add(static_cast<double>(value), std::move(labels)); }

  /// `per_unit` is what the values are divided by to be in base units.
  void add(const HistogramSnapshot& histogram, double per_unit, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t so_far = 0;
    for (std::size_t place = 0; place < histogram.counts.size(); ++place) {
      so_far += histogram.counts[place];
      if (place < histogram.bounds.size())
        metric.histogram.bucket.push_back({so_far, static_cast<double>(histogram.bounds[place]) / per_unit});
    }
    metric.histogram.sample_count = so_far;
    metric.histogram.sample_sum = static_cast<double>(histogram.sum) / per_unit;
    families_.back().metric.push_back(std::move(metric));
  }

  void counter(const char* name, const char* help, std::uint64_t value) {
    family(name, help, MetricType::Counter);
    add(value);
  }
  void gauge(const char* name, const char* help, double value) {
    family(name, help, MetricType::Gauge);
    add(value);
  }
  void gauge(const char* name, const char* help, std::uint64_t value) { gauge(name, help, static_cast<double>(value)); }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

Labels labels_of(std::size_t route) {
  if (route == 0) return {{"route", "none"}, {"method", "none"}};
  const Route& known = routes()[route - 1];
  const std::string pattern = path_of(known);
  return {{"route", pattern}, {"method", std::string(to_string(known.method))}};
}

void add_requests(MetricsPage& page, const ServerMetrics& server) {
  page.family("annals_http_requests_total",
              "Replies by route (MODEL stands for the path of a model, none for no route) and status.",
              MetricType::Counter);
  for (std::size_t route = 0; route < server.routes.size(); ++route) {
    for (const auto& [status, count] : server.routes[route].replies) {
      Labels labels = labels_of(route);
      labels.push_back({"code", status == 0 ? "other" : std::to_string(status)});
      page.add(count, std::move(labels));
    }
  }
  page.family("annals_http_request_duration_seconds", "From a request that is whole to the head of its reply.",
              MetricType::Histogram);
  for (std::size_t route = 0; route < server.routes.size(); ++route) {
    if (!server.routes[route].replies.empty())
      page.add(server.routes[route].durations, microseconds_a_second, labels_of(route));
  }
  page.family("annals_http_refusals_total", "Replies that refuse, by the problem's code.", MetricType::Counter);
  for (const auto& [code, count] : server.refusals) page.add(count, {{"cause", code}});
  page.gauge("annals_http_connections", "Connections that are open.", server.connections);
  page.counter("annals_http_connections_refused_total",
               "Connections turned away because there were too many, or no file descriptor was left.",
               server.refused_connections);
  page.counter("annals_http_connections_displaced_total",
               "Connections ended, while idle or without a whole header, to make room for others.",
               server.displaced_connections);
  page.gauge("annals_http_body_bytes",
             "What the bodies of requests that are under way take of memory, beyond the first 64 KiB of each.",
             server.body_bytes);
  page.counter("annals_http_tls_handshakes_failed_total",
               "TLS handshakes that did not come to an end, or were not understood.", server.failed_handshakes);
}

void add_writer(MetricsPage& page, const engine::Writer& writer) {
  const engine::WriterStatus status = writer.status();
  page.gauge("annals_writer_queue_commands", "Commands that wait for the writer.", std::uint64_t{status.queued});
  page.counter("annals_writer_commands_total", "Commands decided.", status.commands);
  page.counter("annals_writer_overloaded_total", "Commands refused because the queue was full.", status.overloaded);
  page.family("annals_writer_groups_per_append", "Groups that were recorded by one call of the store.",
              MetricType::Histogram);
  page.add(writer.batch_groups(), 1);
}

void add_store(MetricsPage& page, const EventStore& store) {
  const StoreStatus status = store.status();
  const StoreMetrics metrics = store.metrics();
  page.gauge("annals_store_writable",
             "1 while the store takes writes, else 0: until a restart, until there is room on the disk, or until the "
             "database answers.",
             std::uint64_t{status.writable && status.has_room ? 1u : 0u});
  page.gauge("annals_store_position_visible", "The position of the last event that can be read.", status.visible.value);
  page.gauge("annals_store_position_flushed", "The position of the last event that survives the loss of power.",
             status.flushed.value);
  page.counter("annals_store_damaged_reads_total",
               "Reads that met something that is not what was written; run annals verify.", status.damaged_reads);
  if (metrics.flush_durations.counts.empty()) return;
  page.family("annals_store_flush_duration_seconds", "How long the disk took to make events durable.",
              MetricType::Histogram);
  page.add(metrics.flush_durations, microseconds_a_second);
  page.gauge("annals_store_log_bytes", "What the events take in the log's segments.", metrics.log_bytes);
  page.gauge("annals_store_segments", "Segments of the log.", metrics.segments);
  page.gauge("annals_store_segments_unindexed",
             "Segments whose index was lost and is still to be made anew, in the background.",
             metrics.segments_unindexed);
  page.gauge("annals_store_index_bytes", "What the files of indexes take on the disk.", metrics.index_bytes);
  page.gauge(
      "annals_store_index_memory_bytes",
      "What indexes take of memory, more or less: those of the newest segments, and pages of files that were read.",
      metrics.index_memory_bytes);
}

void add_projections(MetricsPage& page, engine::Engine& engine) {
  const auto projections = engine.projections();
  page.family("annals_projection_lag_events", "Events that are durable and not taken in yet.", MetricType::Gauge);
  for (const auto& projection : projections) page.add(projection.lag, {{"projection", projection.name}});
  page.family("annals_projection_failing", "1 while it fails and is started again.", MetricType::Gauge);
  for (const auto& projection : projections)
    page.add(std::uint64_t{projection.failing ? 1u : 0u}, {{"projection", projection.name}});
  page.family("annals_projection_failures_total", "Failures after which it was started again.", MetricType::Counter);
  for (const auto& projection : projections) page.add(projection.failures, {{"projection", projection.name}});
  page.family("annals_table_rows", "Keys in the read table of a model, deleted ones included.", MetricType::Gauge);
  for (std::size_t model = 0; model < engine.models(); ++model)
    page.add(std::uint64_t{engine.feed(model).table().size()}, {{"model", engine.model(model).name}});
  page.family("annals_table_bytes", "What the names and values of a model take of memory, more or less.",
              MetricType::Gauge);
  for (std::size_t model = 0; model < engine.models(); ++model)
    page.add(engine.feed(model).table().bytes(), {{"model", engine.model(model).name}});
  page.family("annals_table_index_bytes",
              "What the indexes of unique and indexed fields and references of a model, and its Bloom filters, take of "
              "memory.",
              MetricType::Gauge);
  for (std::size_t model = 0; model < engine.models(); ++model)
    page.add(engine.feed(model).table().index_bytes(), {{"model", engine.model(model).name}});
}

/// Nothing where no model has a memory_max.
void add_memories(MetricsPage& page, engine::Engine& engine) {
  std::vector<std::pair<std::string, projection::TextMemoryStatus>> all;
  for (std::size_t model = 0; model < engine.models(); ++model) {
    if (const auto* memory = engine.feed(model).memory()) all.emplace_back(engine.model(model).name, memory->status());
  }
  if (all.empty()) return;
  using Status = projection::TextMemoryStatus;
  const auto add = [&](const char* name, const char* help, MetricType type, std::uint64_t Status::* member) {
    page.family(name, help, type);
    for (const auto& [model, status] : all) page.add(status.*member, {{"model", model}});
  };
  add("annals_table_hot_bytes", "What the texts of records that are in memory take there, of a model with memory_max.",
      MetricType::Gauge, &Status::bytes);
  add("annals_table_hot_bytes_max", "The memory_max of the model.", MetricType::Gauge, &Status::bytes_max);
  add("annals_table_cold_records", "Records whose texts are not in memory.", MetricType::Gauge, &Status::cold);
  add("annals_table_spill_bytes", "What the file of texts that are not in memory takes on the disk.", MetricType::Gauge,
      &Status::file_bytes);
  add("annals_table_loads_total", "Texts that were read back from that file.", MetricType::Counter, &Status::loads);
  add("annals_table_evictions_total", "Texts that left the memory.", MetricType::Counter, &Status::evictions);
  add("annals_table_recalls_total",
      "Texts that could not be read back from that file, and were folded from the log instead.", MetricType::Counter,
      &Status::recalls);
}

/// Nothing where no model has snapshots.
void add_snapshots(MetricsPage& page, engine::Engine& engine) {
  std::vector<std::pair<std::string, projection::SnapshotStatus>> all;
  for (std::size_t model = 0; model < engine.models(); ++model) {
    if (const auto* snapshots = engine.feed(model).snapshots())
      all.emplace_back(engine.model(model).name, snapshots->status());
  }
  if (all.empty()) return;
  const auto add = [&](const char* name, const char* help, MetricType type,
                       std::uint64_t projection::SnapshotStatus::* member) {
    page.family(name, help, type);
    for (const auto& [model, status] : all) page.add(status.*member, {{"model", model}});
  };
  using Status = projection::SnapshotStatus;
  add("annals_snapshots_written_total", "Snapshots of records that were written.", MetricType::Counter,
      &Status::written);
  add("annals_snapshots_used_total", "Reads of a record's past that began with a snapshot.", MetricType::Counter,
      &Status::used);
  add("annals_snapshot_bytes", "What the snapshots of a model take.", MetricType::Gauge, &Status::bytes);
}

/// Nothing where no model is a resource: of a key of kv the last event has the whole value.
void add_folded(MetricsPage& page, engine::Engine& engine) {
  bool begun = false;
  for (std::size_t model = 0; model < engine.models(); ++model) {
    if (engine.model(model).profile != model::Profile::resource) continue;
    if (!std::exchange(begun, true)) {
      page.family("annals_folded_events_total", "Events that were folded to know a record as it was.",
                  MetricType::Counter);
    }
    page.add(engine.feed(model).folded().load(), {{"model", engine.model(model).name}});
  }
}

void add_replies(MetricsPage& page, const ReplyCache& replies) {
  const ReplyCacheStatus status = replies.status();
  page.counter("annals_reply_cache_hits_total", "Lists that were sent as they had been written out before.",
               status.hits);
  page.counter("annals_reply_cache_misses_total",
               "Lists of models that declare cache that had to be found and written out.", status.misses);
  page.gauge("annals_reply_cache_replies", "Lists that are kept as they were written out.", status.replies);
  page.gauge("annals_reply_cache_bytes", "What they take of memory, more or less.", status.bytes);
}

void add_process(MetricsPage& page, const ApiOptions& options) {
  const platform::ProcessUsage usage = platform::process_usage();
  page.family("annals_build_info", "1; the labels say what runs.", MetricType::Gauge);
  page.add(std::uint64_t{1}, {{"version", options.version}});
  page.family("process_cpu_seconds_total", "Processor time used, user and system.", MetricType::Counter);
  page.add(usage.processor_seconds);
  page.gauge("process_resident_memory_bytes", "Memory that is in use.", usage.resident_bytes);
  page.gauge("process_virtual_memory_bytes", "Address space.", usage.virtual_bytes);
  page.gauge("process_open_fds", "File descriptors that are open.", usage.open_descriptors);
  page.gauge("process_max_fds", "File descriptors that may be.", usage.descriptors_max);
  page.gauge("process_start_time_seconds", "When the process began, since 1970.",
             static_cast<double>(options.started.microseconds) / microseconds_a_second);
}

}  // namespace

void get_metrics(const Request& request, Call call) {
  if (const auto parameters = QueryParameters::parse(request.query, {}); !parameters)
    return call.refuse(parameters.error());
  MetricsPage page;
  if (call.options.server_metrics) add_requests(page, call.options.server_metrics());
  add_writer(page, call.engine.writer());
  add_store(page, call.engine.store());
  add_projections(page, call.engine);
  add_memories(page, call.engine);
  add_folded(page, call.engine);
  add_snapshots(page, call.engine);
  add_replies(page, call.shared.replies);
  add_process(page, call.options);
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.fields = "Cache-Control: no-store\r\n";
  response.body = page.text();
  call.send(std::move(response));
}

}  // namespace annals::http
