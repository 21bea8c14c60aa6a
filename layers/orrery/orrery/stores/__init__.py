"""Credit, API keys and operators' models, in one DynamoDB table.

definition   the table itself: keys, index, time to live; template.yaml must say the same
attributes   Python values as DynamoDB's JSON, and back
table        one table behind an `AwsCall`: retries, and refusals as exceptions
tokens       what an API key looks like
key_rows     an API key as it is stored and as it is shown
key_cache    what this process knows about tokens
keys         who a key belongs to: `core.ports.Keys`, and creating, listing, revoking
model_rows   what an operator says of a model: as it is stored and as callers see it
models       setting, removing and reading those
catalog      the built-in catalog with them before it: `core.ports.Catalog`
ledger       holds, receipts, settling, grants: `core.ports.Ledger`. Read its docstring first
expressions  the ledger's writes, as payloads
account      a balance as it is stored, and how money moves within it
books        the moves that a settling request and a reclaimer share
reclaim      what becomes of the holds of dead requests
audit        whether the sums are right
"""
