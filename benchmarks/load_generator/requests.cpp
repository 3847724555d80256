#include "benchmarks/load_generator/requests.hpp"

#include "benchmarks/load_generator/records.hpp"

namespace annals::benchmarks {
namespace {

/// Values under names: PUT and GET.
class ValueRequests final : public Requests {
 public:
  ValueRequests(const ValueMaker& values, const std::string& host, const std::string& base)
      : values_(values), maker_(values, host, base) {}

  std::string_view write(std::uint64_t key, std::size_t, std::uint64_t sequence) override {
    return maker_.put(key, sequence);
  }
  std::string_view get(std::uint64_t key) override { return maker_.get(key); }
  bool confirms(std::string_view, std::uint64_t, std::size_t, std::uint64_t) override { return true; }
  std::optional<std::uint64_t> sequence_in(std::string_view body, std::uint64_t key) override {
    return values_.sequence_in(body, key);
  }
  std::string body(std::uint64_t key, std::uint64_t sequence) const override { return values_.value(key, sequence); }

 private:
  const ValueMaker& values_;
  RequestMaker maker_;
};

}  // namespace

std::unique_ptr<Requests> make_requests(const Options& options, const ValueMaker& values) {
  const std::string host = options.server.host + ":" + std::to_string(options.server.port);
  if (options.records) return std::make_unique<RecordRequests>(values, host, options.base, options.created_at_once);
  return std::make_unique<ValueRequests>(values, host, options.base);
}

}  // namespace annals::benchmarks
