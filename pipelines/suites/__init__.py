"""What models are verified with, and what follows from their answers: pure functions.

`comparing` lays a model beside another on the same items, as evidence that may be looked at again;
`weakness` finds areas in which it fails more often; `tasks` reads benchmarks from local files.
"""
