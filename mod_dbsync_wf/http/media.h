/* SPDX-License-Identifier: Apache-2.0 */
/* Media types (RFC 9110, 8.3.1). Knows nothing of httpd. */
#ifndef WF_HTTP_MEDIA_H
#define WF_HTTP_MEDIA_H

/*
 * Whether a Content-Type says JSON in UTF-8: application/json, or application/ with the suffix
 * +json (RFC 6839), and no charset but utf-8. Other parameters are passed over. Such a type is
 * none that a page of another site can send without being asked (the Fetch standard's
 * CORS-safelisted types). `type` may be NULL.
 */
int wf_media_is_json(const char *type);

#endif
