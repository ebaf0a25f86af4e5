"""Says which clients are there."""

import h2o_audit_trail
import igz_mgmt
import pycadf

print(igz_mgmt.__name__, h2o_audit_trail.__name__, pycadf.__name__)
