// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register map as CMSIS-SVD, for debuggers and for generators of device crates.

use super::{ADDRESS_BITS, Access, Bits, Register, Value, origin, present};
use crate::config::{CONTRACT_VERSION, Config};
use svd_rs::{
    Access as SvdAccess, AddressBlock, AddressBlockUsage, BitRange, Device, EnumeratedValue, EnumeratedValues, Field, FieldInfo, Interrupt,
    ModifiedWriteValues, Peripheral, PeripheralInfo, RegisterCluster, RegisterInfo, RegisterProperties, SvdError, ValidateLevel,
};

const LEVEL: ValidateLevel = ValidateLevel::Strict;

/// A device with one peripheral at address 0, checked at the strictest level.
pub fn svd(config: &Config) -> String {
    let device = device(config).expect("the declaration is a valid SVD");
    let mut text = svd_encoder::encode(&device).expect("a valid device can be encoded");
    text.push('\n');
    text
}

fn device(config: &Config) -> Result<Device, SvdError> {
    let (major, minor) = CONTRACT_VERSION;
    Device::builder()
        .name("HEDDLE".into())
        .version(format!("{major}.{minor}"))
        .description(origin(config))
        .license_text(Some("SPDX-License-Identifier: MIT OR Apache-2.0".into()))
        .address_unit_bits(8)
        .width(32)
        .default_register_properties(RegisterProperties::new().size(Some(32)))
        .peripherals(vec![Peripheral::Single(peripheral(config)?)])
        .build(LEVEL)
}

fn peripheral(config: &Config) -> Result<PeripheralInfo, SvdError> {
    let registers = present(config).map(|declared| register(declared, config));
    let registers = registers.map(|info| info.map(|info| RegisterCluster::Register(info.single())));
    let block = AddressBlock::builder().offset(0).size(1 << ADDRESS_BITS).usage(AddressBlockUsage::Registers).build(LEVEL)?;
    let interrupt =
        Interrupt::builder().name("HEDDLE".into()).description(Some("An enabled event is pending.".into())).value(0).build(LEVEL)?;
    PeripheralInfo::builder()
        .name("HEDDLE".into())
        .description(Some("The accelerator.".into()))
        .base_address(0)
        .address_block(Some(vec![block]))
        .interrupt(Some(vec![interrupt]))
        .registers(Some(registers.collect::<Result<_, _>>()?))
        .build(LEVEL)
}

fn register(declared: &Register, config: &Config) -> Result<RegisterInfo, SvdError> {
    let (access, write) = match declared.access {
        Access::ReadOnly => (SvdAccess::ReadOnly, None),
        Access::ReadWrite => (SvdAccess::ReadWrite, None),
        Access::WriteOneToClear => (SvdAccess::ReadWrite, Some(ModifiedWriteValues::OneToClear)),
        Access::WriteOnly => (SvdAccess::WriteOnly, None),
    };
    let fields = declared.fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    RegisterInfo::builder()
        .name(declared.name.into())
        .description(Some(declared.doc.into()))
        .address_offset(declared.offset)
        .access(Some(access))
        .modified_write_values(write)
        .reset_value(Some(declared.reset_value(config).into()))
        .reset_mask(Some(u32::MAX.into()))
        .fields((!fields.is_empty()).then_some(fields))
        .build(LEVEL)
}

fn field(declared: &Bits) -> Result<Field, SvdError> {
    let values = declared.values.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let values = match values.is_empty() {
        true => vec![],
        false => vec![EnumeratedValues::builder().values(values).build(LEVEL)?],
    };
    let info = FieldInfo::builder()
        .name(declared.name.to_uppercase())
        .description(Some(declared.doc.into()))
        .bit_range(BitRange::from_offset_width(declared.lsb, declared.width))
        .enumerated_values(values)
        .build(LEVEL)?;
    Ok(info.single())
}

fn value(declared: &Value) -> Result<EnumeratedValue, SvdError> {
    EnumeratedValue::builder()
        .name(declared.name.into())
        .description(Some(declared.doc.into()))
        .value(Some(declared.value.into()))
        .build(LEVEL)
}
