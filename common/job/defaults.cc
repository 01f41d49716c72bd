#include "common/job/defaults.h"

#include <string>

#include "common/cluster_size.h"
#include "common/job/model_task.h"
#include "common/job/paths.h"

namespace convoy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Sets a scalar field to the value that it has anyway.
void SpellOut(const FieldDescriptor* field, Message* message) {
  const Reflection* r = message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return r->SetBool(message, field, field->default_value_bool());
    case FieldDescriptor::CPPTYPE_UINT32:
      return r->SetUInt32(message, field, field->default_value_uint32());
    case FieldDescriptor::CPPTYPE_UINT64:
      return r->SetUInt64(message, field, field->default_value_uint64());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return r->SetDouble(message, field, field->default_value_double());
    case FieldDescriptor::CPPTYPE_ENUM:
      return r->SetEnum(message, field, field->default_value_enum());
    case FieldDescriptor::CPPTYPE_STRING:
      return r->SetString(message, field, field->default_value_string());
    default:
      return;  // the schema has no other scalars
  }
}

// In `message` and all messages that are present in it.
void SpellOutAll(Message* message) {
  const Descriptor* type = message->GetDescriptor();
  const Reflection* reflection = message->GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->is_repeated()) continue;
    const bool present = reflection->HasField(*message, field);
    if (field->message_type() != nullptr && present) {
      SpellOutAll(reflection->MutableMessage(message, field));
    } else if (field->has_default_value() && !present) {
      SpellOut(field, message);
    }
  }
}

void ResolveHeldOutLabels(v1::Validation* part) {
  if (!part->has_path() || part->has_labels()) return;
  const std::string labels = LabelsOf(part->path());
  if (!labels.empty()) part->set_labels(labels);
}

void ResolveLabels(v1::Data* data) {
  if (data->format() != v1::Data::IDX && data->format() != v1::Data::AUTO) return;
  const std::string train_labels = LabelsOf(data->train());
  if (!data->has_train_labels() && !train_labels.empty()) data->set_train_labels(train_labels);
  if (data->has_validation()) ResolveHeldOutLabels(data->mutable_validation());
  if (data->has_test()) ResolveHeldOutLabels(data->mutable_test());
  if (!data->has_old()) return;
  v1::OldData* old = data->mutable_old();
  const std::string old_labels = LabelsOf(old->path());
  if (!old->has_labels() && !old_labels.empty()) old->set_labels(old_labels);
  if (old->has_validation()) ResolveHeldOutLabels(old->mutable_validation());
}

void ResolveCsv(const v1::Model& model, v1::Csv* csv) {
  const bool by_model = csv->label_type() == v1::Csv::BY_MODEL;
  if (by_model && model.kind_case() != v1::Model::KIND_NOT_SET && !model.has_custom()) {
    csv->set_label_type(LearnsNumber(model) ? v1::Csv::NUMBER : v1::Csv::CLASS);
  }
  if (csv->missing_value().empty()) {
    for (const char* value : {"NA", "N/A", "NaN", "nan", "null", "NULL", "?"}) {
      csv->add_missing_value(value);
    }
  }
}

void ResolveModel(v1::Model* model) {
  if (model->has_mlp() && model->mlp().hidden().empty()) model->mutable_mlp()->add_hidden(128);
  if (model->has_conv_net() && model->conv_net().channels().empty()) {
    model->mutable_conv_net()->add_channels(8);
    model->mutable_conv_net()->add_channels(16);
  }
  const auto layers = [](google::protobuf::RepeatedField<uint32_t>* hidden) {
    if (!hidden->empty()) return;
    hidden->Add(128);
    hidden->Add(64);
  };
  if (model->has_deep_fm()) layers(model->mutable_deep_fm()->mutable_hidden());
  if (model->has_wide_and_deep()) layers(model->mutable_wide_and_deep()->mutable_hidden());
}

void ResolveOptimizer(v1::Optimizer* optimizer) {
  if (optimizer->algorithm_case() == v1::Optimizer::ALGORITHM_NOT_SET) optimizer->mutable_sgd();
  for (v1::Override& entry : *optimizer->mutable_override()) SpellOutAll(&entry);
  v1::Schedule* schedule = optimizer->mutable_schedule();
  if (schedule->kind_case() == v1::Schedule::KIND_NOT_SET) schedule->mutable_constant();
}

}  // namespace

v1::Job ResolveDefaults(v1::Job job) {
  if (!job.has_name()) job.set_name("job");
  if (job.has_data()) ResolveLabels(job.mutable_data());
  if (job.data().has_csv()) ResolveCsv(job.model(), job.mutable_data()->mutable_csv());
  if (job.has_model()) ResolveModel(job.mutable_model());
  ResolveOptimizer(job.mutable_optimizer());
  job.mutable_training();
  job.mutable_cluster();
  job.mutable_checkpoint();
  SpellOutAll(&job);
  if (!job.training().has_slices())
    job.mutable_training()->set_slices(static_cast<uint32_t>(DefaultSlices(job)));
  return job;
}

}  // namespace convoy
