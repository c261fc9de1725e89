"""The account: projects, builds, folders, testers, and the rules of the service.

No HTTP here, except to fetch the keys of a token's issuer, which happens without the lock.

Sources are the two vendor documents and docs/reference/api-facts.md#sources.
Where they are silent or contradict each other, each module says how the emulator decides. For all of them:

- A project or build id that does not exist, or a build of another project, is "1, missing or
  invalid parameter / build id" with HTTP 400 (docs/reference/api-facts.md#error-codes); 404 as a code means a group.
- A project without permission to read or write is code 99 with HTTP 403. A tester account that does
  more than read is code 5 with HTTP 403, or 133 with HTTP 400 if it updates a build. A read-only
  account that changes people, webhooks or sites, which belong to no project, is also code 5.
- A blocked tester who signs in is code 5 with HTTP 401, or with 200 for uploads, as for a wrong key.
- Times are UTC.
"""
