// SPDX-License-Identifier: Apache-2.0
// Port: a document that is kept elsewhere and changes now and then: a file, a URL, a stream.
//
// Threads: the sink is called by a thread of the source's own, one call after the other, until the
// source is destroyed; destruction waits for a call under way, so it is not for the sink to
// destroy. The first call comes soon: the document, or why it cannot be had. A document is told
// again only when its text is another, an error only when something else was told in between.
// Errors: Unavailable may heal by itself and is looked at again; Invalid will not.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace showcaller {

using DocumentSink = std::function<void(Result<std::string> text)>;

class DocumentSource {
 public:
  virtual ~DocumentSource() = default;
  // Once.
  virtual void start(DocumentSink sink) = 0;
};

}  // namespace showcaller
