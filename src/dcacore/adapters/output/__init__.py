"""Results as files: all of them whole, or none."""

from dcacore.adapters.output._csv import csv_bytes
from dcacore.adapters.output._whole import refuse_unwritable, refuse_unwritable_folder, write_whole

__all__ = ["csv_bytes", "refuse_unwritable", "refuse_unwritable_folder", "write_whole"]
