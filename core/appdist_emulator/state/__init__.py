"""The account: projects, builds, folders, testers, and the rules of the service.

No HTTP here, but for the keys of a token's issuer, which are fetched while no lock is held.

Sources are the two vendor documents and docs/reference/api-facts.md#sources.
Where they are silent, or say two things, each subject's module says how the emulator decides. For all of them:

- A project or build id that does not exist, or a build of another project, is "1, missing or
  invalid parameter / build id" with HTTP 400 (docs/reference/api-facts.md#error-codes); 404 as a code means a group.
- A project the user may not read or write is code 99 with HTTP 403; a tester account that does
  more than read is code 5 with HTTP 403, but 133 with HTTP 400 where it updates a build. So is a
  read-only account that changes people, webhooks or sites, which belong to no project.
- A blocked tester who signs in is code 5, with HTTP 401; at the upload with 200, as a wrong key is.
- Times are UTC.
"""
