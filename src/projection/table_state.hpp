#pragma once
// TableState: a read table as something that can be written down and read back (docs/formats/state_file.md).
//
// Why replaying from the position at which the writing began gives the same table as replaying everything: what is
// written of a key reflects the first `version` events of its stream, all those up to that position included, because
// the table only goes forward; the events after it are taken in by the replay, those at or below the row's version
// passed over; and a key without a row had no event up to that position, so the replay brings all of its events.

#include <string>

#include "model/record_text.hpp"
#include "projection/read_table.hpp"
#include "projection/state_keeper.hpp"

namespace annals::projection {

class TableState final : public KeptState {
 public:
  /// `table` outlives it.
  TableState(ReadTable& table, const model::Model& model)
      : table_(table), name_("table " + model.name), row_form_(model::row_form_of(model)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] Position position() const override { return table_.progress().position(); }
  [[nodiscard]] std::uint64_t records() const override { return table_.size(); }

  void begin_writing() override;
  [[nodiscard]] Result<std::uint64_t> write(std::string& contents) override;
  [[nodiscard]] Witness newest() const override { return later(newest_, table_.last()); }
  [[nodiscard]] std::string note() const override { return row_form_; }

  [[nodiscard]] Result<std::uint64_t> read(std::string_view contents) override;
  [[nodiscard]] Result<> take_over(const StateFileSummary& summary) override;
  void forget() override { table_.forget_restored(); }

 private:
  ReadTable& table_;
  const std::string name_;
  const std::string row_form_;
  RowHolder last_;  // written
  Witness newest_;
};

}  // namespace annals::projection
