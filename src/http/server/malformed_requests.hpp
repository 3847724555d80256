#pragma once
// For tests: requests that must be refused, each with the status that it gets. What stands behind one on the same
// connection must never be read as a request. From RFC 9112 section 11.2 and from what llhttp 8.1 and other servers
// have let through.

#include <string>
#include <string_view>
#include <vector>

namespace annals::http {

struct MalformedRequest {
  std::string_view what;
  std::string bytes;
  int status = 400;
};

inline std::vector<MalformedRequest> malformed_requests() {
  using namespace std::string_literals;
  const std::string host = "Host: a\r\n";
  const std::string put = "PUT /x HTTP/1.1\r\n" + host;
  const std::string chunked = put + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      // The request line.
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"HTTP/0.9 said aloud", "GET / HTTP/0.9\r\n" + host + "\r\n"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"another protocol", "GET / HTTQ/1.1\r\n" + host + "\r\n"},
      {"a version in lower case", "GET / http/1.1\r\n" + host + "\r\n"},
      {"something after the version", "GET / HTTP/1.1 x\r\n" + host + "\r\n"},
      {"a blank after the version", "GET / HTTP/1.1 \r\n" + host + "\r\n"},
      {"a version with more digits", "GET / HTTP/1.10\r\n" + host + "\r\n"},
      {"two blanks after the method", "GET  / HTTP/1.1\r\n" + host + "\r\n"},
      {"two blanks after the target", "GET /  HTTP/1.1\r\n" + host + "\r\n"},
      {"a tab after the method", "GET\t/ HTTP/1.1\r\n" + host + "\r\n"},
      {"a tab in the target", "GET /\tx HTTP/1.1\r\n" + host + "\r\n"},
      {"a blank before the method", " GET / HTTP/1.1\r\n" + host + "\r\n"},
      {"no method", "/ HTTP/1.1\r\n" + host + "\r\n"},
      {"a method that is no token", "G(T / HTTP/1.1\r\n" + host + "\r\n"},
      {"a method nobody knows with two lengths",
       "FOO /x HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"a method nobody knows without Host", "FOO /x HTTP/1.1\r\n\r\n"},
      {"a method nobody knows in HTTP/0.9", "FOO /x\r\n" + host + "\r\n"},
      {"a method nobody knows for a path that is none", "FOO x HTTP/1.1\r\n" + host + "\r\n"},
      {"three empty lines before the request", "\r\n\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"a bare LF before the request", "\nGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"a bare LF behind an empty line", "\r\n\nGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"a bare CR before the request", "\rGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"CR CR LF before the request", "\r\r\nGET / HTTP/1.1\r\n" + host + "\r\n"},
      {"an empty line and a blank", "\r\n GET / HTTP/1.1\r\n" + host + "\r\n"},
      {"a TLS client", "\x16\x03\x01\x02\x00\x01"s},
      // The target.
      {"a target without a slash", "GET x HTTP/1.1\r\n" + host + "\r\n"},
      {"an asterisk without OPTIONS", "GET * HTTP/1.1\r\n" + host + "\r\n"},
      {"authority-form without a port", "CONNECT a HTTP/1.1\r\n" + host + "\r\n"},
      {"authority-form with a user", "CONNECT u@a:80 HTTP/1.1\r\n" + host + "\r\n"},
      {"authority-form with a path", "CONNECT a:80/x HTTP/1.1\r\n" + host + "\r\n"},
      {"authority-form for a method nobody knows", "FOO a:80 HTTP/1.1\r\n" + host + "\r\n"},
      {"authority-form without CONNECT", "GET a:80 HTTP/1.1\r\n" + host + "\r\n"},
      {"a URL of another scheme", "GET ftp://a/x HTTP/1.1\r\n" + host + "\r\n"},
      {"a URL without a host", "GET http:///x HTTP/1.1\r\n" + host + "\r\n"},
      {"a URL for another host", "GET http://b/x HTTP/1.1\r\n" + host + "\r\n"},
      {"a URL with a user", "GET http://u@a/x HTTP/1.1\r\n" + host + "\r\n"},
      {"a fragment", "GET /x#y HTTP/1.1\r\n" + host + "\r\n"},
      {"NUL in the target", "GET /\0x HTTP/1.1\r\n"s + host + "\r\n"},
      {"bytes beyond ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n"},
      {"DEL in the target", "GET /\x7f HTTP/1.1\r\n" + host + "\r\n"},
      // Ends of lines.
      {"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n"},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n"},
      {"bare LF as the last line", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
      {"bare CR for the end of a field", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
      {"CR and then the next request", "GET / HTTP/1.1\r\nHost: a\r\n\rGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"},
      // Fields.
      {"obs-fold", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n"},
      {"obs-fold with a tab", "GET / HTTP/1.1\r\n" + host + "X: a\r\n\tb\r\n\r\n"},
      {"obs-fold of the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"a folded Transfer-Encoding", put + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
      {"a blank before a colon", "GET / HTTP/1.1\r\n" + host + "X : a\r\n\r\n"},
      {"a blank before the colon of a length", put + "Content-Length : 5\r\n\r\nhello"},
      {"a tab before a colon", "GET / HTTP/1.1\r\n" + host + "X\t: a\r\n\r\n"},
      {"a blank in a name", "GET / HTTP/1.1\r\n" + host + "X Y: a\r\n\r\n"},
      {"a field without a name", "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n"},
      {"a line without a colon", "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n"},
      {"NUL in a value", "GET / HTTP/1.1\r\n"s + host + "X: a\0b\r\n\r\n"s},
      {"NUL in a name", "GET / HTTP/1.1\r\n"s + host + "X\0: b\r\n\r\n"s},
      {"a control character in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x01\x62\r\n\r\n"},
      {"DEL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x7f\r\n\r\n"},
      {"bytes beyond ASCII in a name", "GET / HTTP/1.1\r\n" + host + "X\xe4: a\r\n\r\n"},
      {"a name in brackets", "GET / HTTP/1.1\r\n" + host + "(X): a\r\n\r\n"},
      {"a Connection that is no list", "GET / HTTP/1.1\r\n" + host + "Connection: a b\r\n\r\n"},
      {"another expectation", put + "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello", 417},
      // Host.
      {"no Host", "GET / HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"two hosts in one Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      // The length of the body.
      {"two lengths", put + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
      {"two equal lengths", put + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
      {"a list of lengths", put + "Content-Length: 5, 5\r\n\r\nhello"},
      {"an empty length", put + "Content-Length:\r\n\r\nhello"},
      {"a negative length", put + "Content-Length: -5\r\n\r\nhello"},
      {"a length with a sign", put + "Content-Length: +5\r\n\r\nhello"},
      {"a length in hexadecimal", put + "Content-Length: 0x5\r\n\r\nhello"},
      {"a length with a blank", put + "Content-Length: 5 5\r\n\r\nhello"},
      {"a length beyond 64 bits", put + "Content-Length: 18446744073709551621\r\n\r\nhello"},
      {"a length with letters", put + "Content-Length: 5x\r\n\r\nhello"},
      {"a length and chunked", put + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked and a length", put + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
      {"gzip, chunked", put + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked, identity", put + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {"chunked twice", put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked twice in one", put + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
      {"identity", put + "Transfer-Encoding: identity\r\n\r\n"},
      {"an empty coding", put + "Transfer-Encoding:\r\n\r\n"},
      {"a coding that only looks like chunked", put + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"chunked in quotes", put + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
      {"chunked with a vertical tab", put + "Transfer-Encoding: \x0b"
                                            "chunked\r\n\r\n0\r\n\r\n"},
      {"chunked in HTTP/1.0", "PUT /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      // Chunks.
      {"a chunk without a size", chunked + "\r\nhello\r\n0\r\n\r\n"},
      {"a size that is no number", chunked + "x\r\nhello\r\n0\r\n\r\n"},
      {"a size with 0x", chunked + "0x5\r\nhello\r\n0\r\n\r\n"},
      {"a negative size", chunked + "-5\r\nhello\r\n0\r\n\r\n"},
      {"a blank before a size", chunked + " 5\r\nhello\r\n0\r\n\r\n"},
      {"a blank after a size", chunked + "5 \r\nhello\r\n0\r\n\r\n"},
      {"a size of 17 digits", chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"a size with a bare LF", chunked + "5\nhello\r\n0\r\n\r\n"},
      {"a size with a bare CR", chunked + "5\rhello\r\n0\r\n\r\n"},
      {"a chunk longer than its size", chunked + "4\r\nhello\r\n0\r\n\r\n"},
      {"a chunk that ends in a bare LF", chunked + "5\r\nhello\n0\r\n\r\n"},
      {"a chunk that ends in two other bytes", chunked + "5\r\nhelloxx0\r\n\r\n"},
      {"a control character in an extension", chunked + "5;a=\x01\r\nhello\r\n0\r\n\r\n"},
      {"a bare LF in an extension", chunked + "5;a\nb\r\nhello\r\n0\r\n\r\n"},
      {"endless extensions", chunked + "5;" + std::string(5000, 'x') + "\r\nhello\r\n0\r\n\r\n"},
      {"a trailer that is folded", chunked + "0\r\nX: a\r\n b\r\n\r\n"},
      {"a trailer without a name", chunked + "0\r\n: a\r\n\r\n"},
      {"a trailer with a blank before its colon", chunked + "0\r\nX : a\r\n\r\n"},
      {"a trailer with a bare LF", chunked + "0\r\nX: a\n\r\n"},
      {"a bare LF for the last line", chunked + "0\r\n\n"},
      {"endless trailers", chunked + "0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431},
      {"a chunk that is too large", chunked + "fffffffffffffff0\r\nhello\r\n0\r\n\r\n", 413},
      // Too much.
      {"a body that is too large", put + "Content-Length: 99999999999\r\n\r\n", 413},
      {"a target that is too long", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 414},
      {"a request line without an end", std::string(9000, 'x'), 414},
      {"a field that is too long", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(40000, 'x') + "\r\n\r\n", 431},
      {"a field name that is too long", "GET / HTTP/1.1\r\n" + host + std::string(40000, 'x'), 431},
      {"too many fields",
       "GET / HTTP/1.1\r\n" + host +
           [] {
             std::string fields;
             for (int count = 0; count < 100; ++count) fields += "X: a\r\n";
             return fields;
           }() +
           "\r\n",
       431},
  };
}

}  // namespace annals::http
