// The forms in which lists of records go out.

#include "http/routes/list_format.hpp"

#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace annals::http {
namespace {

const model::Model& thing() {
  static const model::Model model = model::declared_model(R"(
[model.thing]
path = "/things"
[model.thing.fields]
id    = { type = "string", primary_key = true }
note  = { type = "text" }
price = { type = "decimal" }
sold  = { type = "boolean" }
tags  = { type = "list", of = "string" }
)");
  return model;
}

std::string written(ListFormat format, std::vector<std::size_t> fields, const std::vector<std::string>& records) {
  const RecordWriter writer(thing(), std::move(fields), format);
  std::string out;
  writer.begin(out);
  for (const std::string& record : records) EXPECT_TRUE(writer.append(out, record)) << record;
  return out;
}

const std::string plain = R"({"id":"a","note":null,"price":"7.50","sold":true,"tags":["x","y"]})";

TEST(list_format, json_has_the_fields_asked_for_in_the_order_asked_for) {
  EXPECT_EQ(written(ListFormat::page, {}, {plain}), plain);
  EXPECT_EQ(written(ListFormat::page, {2, 0, 1}, {plain}), R"({"price":"7.50","id":"a","note":null})");
  EXPECT_EQ(written(ListFormat::lines, {}, {plain, plain}), plain + "\n" + plain + "\n");
  EXPECT_EQ(written(ListFormat::lines, {3}, {plain}), "{\"sold\":true}\n");
}

TEST(list_format, comma_separated_values_are_quoted_where_they_must_be) {
  EXPECT_EQ(written(ListFormat::table, {}, {plain}),
            "id,note,price,sold,tags\r\na,,7.50,true,\"[\"\"x\"\",\"\"y\"\"]\"\r\n");
  const auto note = [](const std::string& json) {
    return written(ListFormat::table, {1},
                   {R"({"id":"a","note":)" + json + R"(,"price":null,"sold":null,"tags":null})"});
  };
  EXPECT_EQ(note("null"), "note\r\n\r\n");
  EXPECT_EQ(note(R"("")"), "note\r\n\"\"\r\n");
  EXPECT_EQ(note(R"("a b")"), "note\r\na b\r\n");
  EXPECT_EQ(note(R"("a,b")"), "note\r\n\"a,b\"\r\n");
  EXPECT_EQ(note(R"("say \"a\"")"), "note\r\n\"say \"\"a\"\"\"\r\n");
  EXPECT_EQ(note(R"("a\r\nb")"), "note\r\n\"a\r\nb\"\r\n");
  EXPECT_EQ(note(R"(" a")"), "note\r\n\" a\"\r\n");
  EXPECT_EQ(note(R"("=1+1")"), "note\r\n=1+1\r\n");
}

TEST(list_format, a_text_that_is_no_record_is_not_written) {
  std::string out;
  EXPECT_FALSE(RecordWriter(thing(), {1}, ListFormat::table).append(out, "{}"));
  EXPECT_FALSE(RecordWriter(thing(), {1}, ListFormat::page).append(out, "{\"id\":\"a\"}"));
}

TEST(list_format, a_client_gets_the_form_that_it_likes_best_and_json_else) {
  const auto format = [](std::string_view accept) {
    Request request;
    request.fields = {{"accept", accept}};
    return list_format_of(request);
  };
  EXPECT_EQ(list_format_of(Request{}), ListFormat::page);
  EXPECT_EQ(format("*/*"), ListFormat::page);
  EXPECT_EQ(format("text/csv"), ListFormat::table);
  EXPECT_EQ(format("application/x-ndjson, application/json;q=0.5"), ListFormat::lines);
  EXPECT_EQ(format("text/csv;q=0.1, application/json"), ListFormat::page);
  EXPECT_EQ(format("text/html"), ListFormat::page);
}

}  // namespace
}  // namespace annals::http
